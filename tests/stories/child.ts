import { fileURLToPath } from "node:url";
import type { Ran, Story } from "./harness.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The program in a process of its own, which can be killed. */
export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;
  readonly #args: string[];
  readonly #story: Story;
  ended = false;

  private constructor(story: Story, args: string[], process: Deno.ChildProcess) {
    this.#story = story;
    this.#args = args;
    this.#process = process;
    this.#output = process.output().finally(() => this.ended = true);
  }

  static start(story: Story, ...args: string[]): Promise<Child> {
    return Child.startMain("main.ts", story, ...args);
  }

  /** Another main module of this repository, which reads the same command lines. */
  static async startMain(main: string, story: Story, ...args: string[]): Promise<Child> {
    await story.saveConfig();
    const command = [
      "run",
      "-A",
      "--no-prompt",
      "--no-check",
      "--config",
      `${ROOT}deno.json`,
      `${ROOT}${main}`,
    ];
    const home = Deno.env.get("HOME");
    const cache = Deno.env.get("DENO_DIR") ?? (home && `${home}/.cache/deno`);
    return new Child(
      story,
      args,
      new Deno.Command(Deno.execPath(), {
        args: [...command, ...args, "--config", story.configPath],
        cwd: story.folder,
        clearEnv: true,
        env: { PATH: Deno.env.get("PATH") ?? "", ...(cache ? { DENO_DIR: cache } : {}), ...story.env },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
  }

  send(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Kills it as soon as `moment` comes; false when it had ended before. */
  async killWhen(moment: () => boolean): Promise<boolean> {
    for (;;) {
      // Looks without a pause for a while, because such moments are short, and then lets the service answer.
      for (const end = performance.now() + 2; performance.now() < end;) {
        if (moment()) {
          try {
            this.send("SIGKILL");
          } catch {
            return false; // it has just ended by itself
          }
          return (await this.#output).signal === "SIGKILL";
        }
      }
      if (this.ended) return false;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** What it came to, judged as every run is. */
  async result(): Promise<Ran> {
    const { code, stdout, stderr } = await this.#output;
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return this.#story.judge(this.#args, { code, out: text(stdout), err: text(stderr) });
  }
}
