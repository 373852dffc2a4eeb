/** One call of the program. */
export interface OpCall {
  /** Such as `item get`; the whole command line where it is none. */
  readonly command: string;
  readonly argv: readonly string[];
  /** What came on standard input, where the command reads it. */
  readonly stdin: string | null;
  /** Names of the variables that begin with `OP_`; never their values. */
  readonly variables: readonly string[];
  /** The process. */
  readonly pid: number;
  /** Its exit code; undefined until it has ended, and for good where it was ended. */
  code: number | undefined;
}

/** What the program was called with. */
export class OpCalls {
  readonly log: OpCall[] = [];

  /** How many calls there were of this command. */
  count(command: string): number {
    return this.log.filter((call) => call.command === command).length;
  }

  /** Every command, in order. */
  get commands(): string[] {
    return this.log.map(({ command }) => command);
  }

  reset(): void {
    this.log.length = 0;
  }
}
