import assert from "node:assert/strict";
import { join } from "node:path";
import { newIdentity } from "../../src/custody/identities.ts";

/** How a program is started; nothing of the environment of the tests reaches it. */
export interface Start {
  cwd?: string;
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
}

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs a program to its end, without a terminal and without input. */
export async function run(program: string, args: readonly string[], start: Start = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...start,
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** A folder with all that a backup needs, as an administrator would have made it. */
export class Place implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(token: string): Promise<Place> {
    const place = new Place(await Deno.makeTempDir({ prefix: "vaultferry-binary-" }));
    const { recipient, secret } = await newIdentity(false);
    await Deno.mkdir(place.at("nas"));
    await Deno.writeTextFile(place.at("token"), token, { mode: 0o600 });
    await Deno.writeTextFile(place.at("key"), `${secret.reveal()}\n`, { mode: 0o600 });
    await Deno.writeTextFile(
      place.config,
      `version: 1
state: ${place.at("state")}
jobs:
  acme:
    source: {type: onepassword-sdk, token: "file:${place.at("token")}"}
    recipients: [${recipient}]
    destinations:
      - {name: nas, type: local, path: ${place.at("nas")}}
`,
    );
    return place;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  get config(): string {
    return this.at("vaultferry.yaml");
  }

  /** Writes a secret; returns the reference to it. */
  secret(name: string, text: string): string {
    Deno.writeTextFileSync(this.at(name), text, { mode: 0o600 });
    return `file:${this.at(name)}`;
  }

  /** Backs up from there instead of the local service. */
  async from(source: Record<string, unknown>): Promise<void> {
    await this.#change(/(?<=^ +source: )\{.*\}$/m, source);
  }

  /** Backs up to these instead of the folder `nas`. */
  async to(...destinations: Record<string, unknown>[]): Promise<void> {
    await this.#change(/(?<=^ +destinations:)(\n +- .*| .*)$/m, destinations);
  }

  /** JSON is YAML too. */
  async #change(line: RegExp, value: unknown): Promise<void> {
    const config = await Deno.readTextFile(this.config);
    const changed = config.replace(line, () => ` ${JSON.stringify(value)}`);
    assert.notEqual(changed, config);
    await Deno.writeTextFile(this.config, changed);
  }

  /** Gives everything to another user. */
  async chown(uid: number, gid: number): Promise<void> {
    const { success } = await new Deno.Command("chown", { args: ["-R", `${uid}:${gid}`, this.folder] })
      .output();
    assert(success);
  }

  /** Backs up, verifies and restores; every step must succeed. Returns the folder with what was restored. */
  async roundTrip(vaultferry: (args: string[]) => Promise<Ended>): Promise<string> {
    const common = ["--config", this.config];
    const restored = this.at(`restored-${crypto.randomUUID().slice(0, 8)}`);
    for (
      const args of [
        ["backup", ...common],
        ["verify", "--identity", this.at("key"), ...common],
        ["restore", "--to", restored, "--identity", this.at("key"), ...common],
      ]
    ) {
      const ended = await vaultferry(args);
      assert.equal(ended.code, 0, `${args[0]}: ${ended.err}`);
    }
    const manifest = JSON.parse(await Deno.readTextFile(join(restored, "manifest.json")));
    assert(manifest.counts.items > 0, "something was restored");
    return restored;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
