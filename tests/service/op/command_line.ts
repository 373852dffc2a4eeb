/** A command line of `op`, taken apart. */
export interface CommandLine {
  /** Such as `item get`. */
  command: string;
  /** What stands beside the command and its flags. */
  names: string[];
  flags: ReadonlyMap<string, string[]>;
}

/** The flags of the commands that the fake knows; `true`: a value follows. */
const GLOBAL = { account: true, cache: false, config: true, format: true, session: true, "no-color": false };
const COMMANDS: Record<string, Record<string, boolean>> = {
  "--version": {},
  whoami: {},
  read: { "no-newline": false, "out-file": true, force: false, "file-mode": true },
  "account get": {},
  "account list": {},
  "vault list": { group: true, user: true },
  "vault get": {},
  "item list": {
    vault: true,
    "include-archive": false,
    categories: true,
    tags: true,
    favorite: false,
    long: false,
  },
  "item get": { vault: true, "include-archive": false, fields: true, otp: false, reveal: false },
  "document get": {
    vault: true,
    "include-archive": false,
    "out-file": true,
    force: false,
    "file-mode": true,
  },
  "user list": { group: true, vault: true },
  "service-account ratelimit": {},
  "service-account create": { vault: true, "expires-in": true, raw: false, "can-create-vaults": false },
};

/** @throws what `op` says of a command line that it does not understand */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words = argv.filter((word) => !word.startsWith("--"));
  const command = argv[0] === "--version"
    ? "--version"
    : [words.slice(0, 2).join(" "), words[0] ?? ""].find((name) => name in COMMANDS);
  if (command === undefined) throw new Error(`unknown command "${words.join(" ")}" for "op"`);
  const known: Record<string, boolean> = { ...GLOBAL, ...COMMANDS[command] };
  const flags = new Map<string, string[]>();
  const names: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (!word.startsWith("--") || word === "--version") {
      names.push(word);
      continue;
    }
    const [name = "", ...given] = word.slice(2).split("=");
    if (!(name in known)) throw new Error(`unknown flag: --${name}`);
    const value = given.length > 0 ? given.join("=") : known[name] ? argv[++at] : "true";
    if (value === undefined) throw new Error(`flag needs an argument: --${name}`);
    flags.set(name, [...flags.get(name) ?? [], value]);
  }
  return { command, names: names.slice(command.split(" ").length), flags };
}
