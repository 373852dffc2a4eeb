import { onepasswordSdk } from "../../plugins/sources/onepassword_sdk/mod.ts";
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
import { type FaultRoute, type LocalService, type RouteName, startService } from "../service/mod.ts";
import { NONSENSE, serviceAccount } from "./harness_service.ts";

/** The real core of 1Password's SDK, signed in to the local 1Password service. */
export const onepasswordSdkDoor: ConformanceDoor = {
  name: "onepassword-sdk",
  lacks: {
    favourites: "the SDK does not show favourites: a limit of the door",
    "password history": "the SDK does not show earlier passwords: a limit of the door",
    "password history times": "the SDK does not show earlier passwords: a limit of the door",
    "extra keys": "the SDK's core drops every property that it does not know",
  },
  archived: "overview",
  vaultKind: (kind) => kind,
  category: (category) => category === UNKNOWN_CATEGORY ? "Unsupported" : category,
  field: ({ kind, value, parts }, section) => {
    // The core loses value and section of what it does not understand.
    if (kind === UNKNOWN_KIND) return { kind: "Unsupported", value: "", section: undefined };
    return {
      kind: kind === "Gender" ? "Text" : kind,
      value,
      section,
      ...(parts ? { details: { type: "Address", content: parts } } : {}),
    };
  },
  start: async (account) => new SdkHarness(await startService(serviceAccount(account)), account),
};

/** The request that stands for a call; of the several that some calls take, the one that brings what was asked for. */
const ROUTES: Record<Call, RouteName> = {
  "sign-in": "auth/start",
  vaults: "vaults/list",
  list: "items/overviews",
  items: "items/batch",
  file: "file/read",
};

class SdkHarness implements ConformanceHarness {
  readonly said: string[] = [];
  readonly secrets: readonly string[];
  readonly account: { url: string; signedInAs: string };
  readonly #fetched: string[] = [];

  constructor(readonly service: LocalService, readonly seed: SeededAccount) {
    const token = service.token();
    const { secretKey, srpX, muk } = JSON.parse(atob(token.slice("ops_".length)));
    this.secrets = [token, secretKey, srpX, muk.k];
    this.account = { url: service.url, signedInAs: service.account.credentials.email };
    service.onRequest("items/batch", ({ body }) => {
      this.#fetched.push(...idsIn(body));
    });
  }

  open(signal: AbortSignal) {
    const world = denoWorld();
    // The waits between tries are not what is tried here.
    const sleep = (_: number, signal: AbortSignal) => world.clock.sleep(10, signal);
    return onepasswordSdk.open({ token: "file:/token" }, {
      world: { ...world, clock: { ...world.clock, sleep } },
      version: "0.0.0",
      secret: () => Promise.resolve(new Secret(this.service.token())),
      warn: (message) => void this.said.push(message),
      privateFolder: () => Promise.reject(new Error("the SDK needs no folder")),
    }, signal);
  }

  fault(name: FaultName, options: FaultOptions): Fault {
    const [call, kind] = name.split(" ") as [Call, FaultKind];
    const { vaultId, itemId, times } = options;
    const { faults } = this.service;
    const route = ROUTES[call];
    const about = call === "sign-in" || call === "vaults" ? undefined : itemId ?? vaultId;
    const timing = {
      ...(times === undefined ? {} : { times }),
      ...(about === undefined ? {} : { id: call === "list" ? vaultId! : about }),
    };
    const counted = (fault: { strikes: number }): Fault => ({ strikes: () => fault.strikes });
    if (name === "sign-in refused") {
      // Sessions that were begun end as well.
      this.service.account.revokeToken();
      return { strikes: () => this.service.requests.count(route) };
    }
    switch (kind) {
      case "refused":
        return counted(faults.status(route, 403, timing));
      case "unreachable":
        return counted(faults.status(route, 503, timing));
      case "quota":
        return counted(faults.status(route, 429, timing));
      case "garbage":
        return counted(faults.status(route, 200, { ...timing, body: NONSENSE }));
      case "blank":
        return counted(faults.status(route, 200, { ...timing, body: null }));
      case "cut":
        return counted(faults.cut(route, timing));
      case "slow":
        return counted(faults.hang(route as FaultRoute, timing));
      case "missing-from-answer":
        if (call === "list") return counted(faults.shortList({ ...timing, leaveOut: [itemId!] }));
        if (call === "items") return counted(faults.omit([itemId!], timing));
        return counted(faults.status(route, 404, timing));
      case "empty-list":
        return counted(faults.shortList({ ...timing, leaveOut: 1000 }));
      case "wrong-size": {
        const [file] = this.#seeded(itemId!).files;
        this.service.account.vault(vaultId!).item(itemId!).serveFile(file!.name, file!.size - 1);
        return { strikes: () => this.service.requests.count(route) };
      }
      default:
        return this.#meanwhile(call === "file" ? "item/get" : route, kind, options);
    }
  }

  counted() {
    const { requests } = this.service;
    return { signIns: requests.count("auth/start"), calls: requests.total(), fetched: [...this.#fetched] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.service.close();
  }

  /** Somebody else's change, just before the request is answered. */
  #meanwhile(route: RouteName, kind: FaultKind, { vaultId, itemId }: FaultOptions): Fault {
    const { account } = this.service;
    let strikes = 0;
    this.service.onRequest(route, (call) => {
      const about = call.vaultId === vaultId &&
        (itemId === undefined || call.itemId === itemId || idsIn(call.body).includes(itemId));
      if (!about || strikes > 0) return;
      strikes++;
      if (kind === "vault-gone") account.removeVault(vaultId!);
      else if (kind === "gone-meanwhile") account.vault(vaultId!).item(itemId!).delete();
      else if (kind === "archived-meanwhile") account.vault(vaultId!).item(itemId!).archive();
      else throw new Error(`"${kind}" is no fault of this harness`);
    });
    return { strikes: () => strikes };
  }

  #seeded(itemId: string) {
    return this.seed.vaults.flatMap(({ items }) => items).find(({ id }) => id === itemId)!;
  }
}

/** Ids of the items that a batch asks for. */
function idsIn(body: unknown): string[] {
  const { itemUuids } = (body ?? {}) as { itemUuids?: unknown };
  return Array.isArray(itemUuids) ? itemUuids.map(String) : [];
}
