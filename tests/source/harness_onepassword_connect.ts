import { onepasswordConnect } from "../../plugins/sources/onepassword_connect/mod.ts";
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
import { type SeededAccount, UNKNOWN_CATEGORY } from "../../src/source/conformance/account.ts";
import { within } from "../../src/source/conformance/bench.ts";
import { type Archive, ConnectServer, type RouteName } from "../service/connect/mod.ts";
import { LiveAccount } from "../service/account/live_account.ts";
import { lacking, NONSENSE, serviceAccount } from "./harness_service.ts";

const SIGN_IN =
  "Connect has no sign-in: its token is judged with every request, the first of which lists vaults";

/** Kinds of fields for which Connect has a word of its own; the others are text. */
const KINDS = new Set(["Concealed", "Url", "Totp", "Email", "Menu", "MonthYear", "Date"]);

/** The plugin at a Connect server with the local 1Password service's account. */
export function onepasswordConnectDoor(archive: Archive = "readable"): ConformanceDoor {
  return {
    name: "onepassword-connect",
    ...(archive === "readable" ? {} : { variant: `archive ${archive}` }),
    lacks: {
      ...lacking(["sign-in"], ["unreachable", "garbage", "blank", "cut", "slow"], SIGN_IN),
      ...lacking(
        ["sign-in", "vaults", "list", "items", "file"],
        ["quota"],
        "Connect answers from its own copy, which no quota counts",
      ),
      "password history": "Connect does not show earlier passwords: a limit of the door",
      "password history times": "Connect does not show earlier passwords: a limit of the door",
      "calls counted": "Connect's answers cost nothing, and so says the estimate",
    },
    archived: ({ readable: "contents", listed: "overview", hidden: "hidden" } as const)[archive],
    vaultKind: (kind) => kind,
    // Connect's description names neither of the last two.
    category: (category) =>
      [UNKNOWN_CATEGORY, "CryptoWallet", "Person"].includes(category) ? "CUSTOM" : category,
    field: ({ kind, value }, section) => ({ kind: KINDS.has(kind) ? kind : "Text", value, section }),
    start: async (account) =>
      new ConnectHarness(await LiveAccount.create(serviceAccount(account)), account, archive),
  };
}

const ROUTES: Record<Call, RouteName> = {
  "sign-in": "vaults",
  vaults: "vaults",
  list: "items",
  items: "item",
  file: "content",
};

class ConnectHarness implements ConformanceHarness {
  readonly said: string[] = [];
  readonly secrets: readonly string[];
  readonly account: { id: string };
  readonly #server: ConnectServer;
  readonly #token: string;
  readonly #fetched: string[] = [];

  constructor(readonly live: LiveAccount, readonly seed: SeededAccount, archive: Archive) {
    this.#server = ConnectServer.start(live, { archive });
    this.#token = this.#server.token();
    this.secrets = [this.#token, this.#token.split(".").at(-1)!];
    this.account = { id: live.credentials.accountId };
    this.#server.onRequest("item", ({ itemId }) => void this.#fetched.push(itemId));
    for (const { id, extra } of seed.vaults.flatMap(({ items }) => items)) {
      if (extra === undefined) continue;
      this.#server.faults.edit("item", (json) => ({ ...Object(json), somethingNew: { of: extra } }), { id });
    }
  }

  open(signal: AbortSignal) {
    const world = denoWorld();
    const sleep = (_: number, signal: AbortSignal) => world.clock.sleep(2, signal);
    return onepasswordConnect.open({ url: this.#server.url, token: "file:/token" }, {
      world: { ...world, clock: { ...world.clock, sleep } },
      version: "0.0.0",
      secret: () => Promise.resolve(new Secret(this.#token)),
      warn: (message) => void this.said.push(message),
      privateFolder: () => Promise.reject(new Error("Connect needs no folder")),
    }, signal);
  }

  fault(name: FaultName, options: FaultOptions): Fault {
    const [call, kind] = name.split(" ") as [Call, FaultKind];
    const { vaultId, itemId, times } = options;
    const { faults } = this.#server;
    const route = ROUTES[call];
    const about = call === "list" ? vaultId : route === "vaults" ? undefined : itemId;
    const timing = {
      ...(times === undefined ? {} : { times }),
      ...(about === undefined ? {} : { id: about }),
    };
    const counted = (fault: { strikes: number }): Fault => ({ strikes: () => fault.strikes });
    switch (kind) {
      case "refused":
        return counted(faults.status(route, call === "sign-in" ? 401 : 403, timing));
      case "unreachable":
        return counted(faults.status(route, 503, timing));
      case "garbage":
        return counted(faults.garbage(route, NONSENSE, timing));
      case "blank":
        return counted(faults.garbage(route, call === "file" ? "" : "null", timing));
      case "cut":
        return counted(faults.cut(route, timing));
      case "slow":
        return counted(faults.hang(route, timing));
      case "missing-from-answer":
        if (call === "list") return counted(faults.shortList([itemId!], timing));
        return counted(faults.status(route, 404, timing));
      case "empty-list":
        return counted(faults.edit(route, () => [], timing));
      case "wrong-size": {
        const [file] = this.#seeded(itemId!).files;
        this.live.vault(vaultId!).item(itemId!).serveFile(file!.name, file!.size - 1);
        return { strikes: () => this.#server.requests.count(route) };
      }
      default:
        return this.#meanwhile(route, kind, options);
    }
  }

  counted() {
    const { log } = this.#server.requests;
    return {
      // Every request shows the token; one that was refused is an attempt.
      signIns: log.filter(({ status }) => status === 401).length,
      calls: log.length,
      fetched: [...this.#fetched],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await within(this.#server.requests.idle(), "letting go of every request");
    await this.#server[Symbol.asyncDispose]();
  }

  /** Somebody else's change, just before the request is answered. */
  #meanwhile(route: RouteName, kind: FaultKind, { vaultId, itemId }: FaultOptions): Fault {
    let strikes = 0;
    this.#server.onRequest(route, (call) => {
      if (call.vaultId !== vaultId || (itemId !== undefined && call.itemId !== itemId) || strikes > 0) return;
      strikes++;
      if (kind === "vault-gone") this.live.removeVault(vaultId!);
      else if (kind === "gone-meanwhile") this.live.vault(vaultId!).item(itemId!).delete();
      else if (kind === "archived-meanwhile") this.live.vault(vaultId!).item(itemId!).archive();
      else throw new Error(`"${kind}" is no fault of this harness`);
    });
    return { strikes: () => strikes };
  }

  #seeded(itemId: string) {
    return this.seed.vaults.flatMap(({ items }) => items).find(({ id }) => id === itemId)!;
  }
}
