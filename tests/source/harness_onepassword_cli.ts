import { onepasswordCli } from "../../plugins/sources/onepassword_cli/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type {
  Call,
  ConformanceDoor,
  ConformanceHarness,
  Fault,
  FaultKind,
  FaultName,
  FaultOptions,
} from "../../src/source/conformance.ts";
import { type SeededAccount, UNKNOWN_CATEGORY, UNKNOWN_KIND } from "../../src/source/conformance/account.ts";
import { Scratch } from "../base/scratch.ts";
import { LiveAccount } from "../service/account/live_account.ts";
import { type Blow, type RunningFakeOp, SAYS, startFakeOp } from "../service/op/mod.ts";
import { lacking, NONSENSE, serviceAccount } from "./harness_service.ts";

const SIGN_IN = "op signs in anew with every call: what goes wrong with that is the fault of the call";

/** The plugin with a program that stands in for `op`, signed in with a service account that may see everything. */
export const onepasswordCliDoor: ConformanceDoor = {
  name: "onepassword-cli",
  lacks: {
    ...lacking(["sign-in"], ["unreachable", "quota", "garbage", "blank", "cut", "slow"], SIGN_IN),
    "password history times": "op does not tell them: a limit of the door",
  },
  archived: "contents",
  vaultKind: (kind) => kind,
  category: (category) => category === UNKNOWN_CATEGORY ? "999" : category,
  field: ({ kind, value }, section) => {
    if (kind === UNKNOWN_KIND) return { kind: "Unsupported", value: "", section };
    // As one line that names the country, and without the parts.
    if (kind === "Address") {
      return { kind, value: "1 Sample Street, Nowhere, ZZ 00000, United States", section };
    }
    return { kind, value, section };
  },
  async start(account) {
    const scratch = await Scratch.make();
    const live = await LiveAccount.create(serviceAccount(account));
    return new CliHarness(await startFakeOp({ account: live, folder: scratch.path }), scratch, account);
  },
};

/** The command that stands for a call. */
const COMMANDS: Record<Call, string> = {
  "sign-in": "vault list",
  vaults: "vault list",
  list: "item list",
  items: "item get",
  file: "read",
};

/** What the real program complains of. */
const COMPLAINTS: Partial<Record<FaultKind, string>> = {
  refused: "(403) Forbidden: You aren't authorized to perform this action.",
  unreachable: SAYS.noNetwork,
  quota: SAYS.quota(),
};

class CliHarness implements ConformanceHarness {
  readonly said: string[] = [];
  readonly secrets: readonly string[];
  readonly account: { id: string; url: string };
  readonly #token: string;

  constructor(readonly op: RunningFakeOp, readonly scratch: Scratch, readonly seed: SeededAccount) {
    const { fake } = op;
    const vaults = fake.account.vaults.map(({ id }) => ({ id, permissions: ["read_items"] }));
    this.#token = fake.createServiceAccount({ name: "made-up-service-account", vaults });
    fake.allowed = { hour: 100_000, day: 100_000 };
    this.secrets = [this.#token];
    for (const { id, extra } of seed.vaults.flatMap(({ items }) => items)) {
      if (extra === undefined) continue;
      const added = `"something_new": ${JSON.stringify({ of: extra })}`;
      const edit = (output: string) => output.replace(`"id": "${id}",`, (id) => `${id} ${added},`);
      fake.faults.add("item get", { edit }, { about: id });
    }
    this.account = { id: fake.account.credentials.accountId, url: fake.url };
  }

  open(signal: AbortSignal) {
    const world = denoWorld();
    const sleep = (_: number, signal: AbortSignal) => world.clock.sleep(2, signal);
    return onepasswordCli.open({ program: this.op.path, token: "file:/token" }, {
      world: { ...world, clock: { ...world.clock, sleep } },
      version: "0.0.0",
      secret: () => Promise.resolve(new Secret(this.#token)),
      warn: (message) => void this.said.push(message),
      privateFolder: async () => {
        const path = await Deno.makeTempDir({ dir: this.scratch.path });
        return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
      },
    }, signal);
  }

  fault(name: FaultName, options: FaultOptions): Fault {
    const [call, kind] = name.split(" ") as [Call, FaultKind];
    const { vaultId, itemId } = options;
    const { fake } = this.op;
    const about = call === "list" ? vaultId : call === "items" || call === "file" ? itemId : undefined;
    const strike = (blow: Blow) => this.#strike(call, blow, about, options);
    const complaint = COMPLAINTS[kind];
    if (name === "sign-in refused") {
      fake.account.revokeToken();
      return { strikes: () => this.counted().signIns };
    }
    if (complaint !== undefined) return strike({ complaint, code: 1 });
    switch (kind) {
      case "garbage":
        return strike({ instead: NONSENSE });
      case "blank":
        return strike({ instead: "" });
      case "cut":
        return strike({ share: 0.5 });
      case "slow":
        return strike({ hang: true });
      case "empty-list":
        return strike({ instead: "[]\n" });
      case "missing-from-answer":
        if (call === "file") {
          return strike({ complaint: SAYS.noField(`${vaultId}/${itemId}`, "id"), code: 1 });
        }
        return this.#leaveOut(call, options);
      case "wrong-size": {
        const [seeded] = this.#seeded(itemId!).files;
        const file = fake.account.vault(vaultId!).item(itemId!).file(seeded!.name);
        fake.serve(file, file.content().subarray(1));
        return { strikes: () => fake.calls.count("read") };
      }
      default:
        return this.#meanwhile(call, kind, options);
    }
  }

  counted() {
    const { calls, reads } = this.op.fake;
    return {
      // Every call but one shows the token; one that fails before anything else is an attempt.
      signIns: calls.log.filter(({ command, code }) => command !== "--version" && code !== 0).length,
      calls: reads,
      fetched: calls.log.filter(({ command }) => command === "item get").flatMap(({ stdin, argv }) =>
        this.seed.vaults.flatMap(({ items }) => items).map(({ id }) => id).filter((id) =>
          stdin?.includes(id) || argv.includes(id)
        )
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.op[Symbol.asyncDispose]();
    await this.scratch[Symbol.asyncDispose]();
  }

  /** Does this to each call of the command that is about the id. */
  #strike(call: Call, blow: Blow, about: string | undefined, { times }: FaultOptions): Fault {
    const { calls, faults } = this.op.fake;
    const before = calls.log.length;
    faults.add(COMMANDS[call], blow, {
      ...(times === undefined ? {} : { times }),
      ...(about === undefined ? {} : { about }),
    });
    const matching = () => calls.log.slice(before).filter((one) => this.#isAbout(one, call, about)).length;
    return { strikes: () => Math.min(matching(), times ?? Infinity) };
  }

  #isAbout(
    call: { command: string; argv: readonly string[]; stdin: string | null },
    kind: Call,
    id?: string,
  ) {
    return call.command === COMMANDS[kind] &&
      (id === undefined || [...call.argv, call.stdin ?? ""].join("\n").includes(id));
  }

  /** Leaves the item out of what the command prints, as often as is asked. */
  #leaveOut(call: Call, { itemId, vaultId, times = Infinity }: FaultOptions): Fault {
    const { fake } = this.op;
    const left = call === "list" ? fake.unlisted : fake.omitted;
    let strikes = 0;
    fake.before(COMMANDS[call], () => {
      const now = fake.calls.log.at(-1)!;
      if (!this.#isAbout(now, call, call === "list" ? vaultId : itemId)) return;
      if (strikes < times) strikes++, left.add(itemId!);
      else left.delete(itemId!);
    });
    return { strikes: () => strikes };
  }

  /** Somebody else's change, just before the command reads what is there. */
  #meanwhile(call: Call, kind: FaultKind, { vaultId, itemId }: FaultOptions): Fault {
    const { fake } = this.op;
    let strikes = 0;
    fake.before(COMMANDS[call], () => {
      const now = fake.calls.log.at(-1)!;
      if (strikes > 0 || !this.#isAbout(now, call, itemId ?? vaultId)) return;
      strikes++;
      if (kind === "vault-gone") fake.account.removeVault(vaultId!);
      else if (kind === "gone-meanwhile") fake.account.vault(vaultId!).item(itemId!).delete();
      else if (kind === "archived-meanwhile") fake.account.vault(vaultId!).item(itemId!).archive();
      else throw new Error(`"${kind}" is no fault of this harness`);
    });
    return { strikes: () => strikes };
  }

  #seeded(itemId: string) {
    return this.seed.vaults.flatMap(({ items }) => items).find(({ id }) => id === itemId)!;
  }
}
