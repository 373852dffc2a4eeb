import sdk from "@1password/sdk";
import type { Client, FileAttributes } from "@1password/sdk";
import core from "@1password/sdk-core";
import type { LocalService } from "./service.ts";
import type { TokenOverrides } from "./wire/credentials.ts";

const INTEGRATION = { integrationName: "vaultferry tests", integrationVersion: "1.0.0" };

/** Signs the real SDK into the service. Rejects as the SDK does. */
export function signIn(service: LocalService, overrides?: TokenOverrides): Promise<Client> {
  return sdk.createClient({ auth: service.token(overrides), ...INTEGRATION });
}

/** A sign-in of the core itself, without the JavaScript around it. */
export interface CoreClient {
  /** Reads a file far faster than the wrapper, which takes 8 s for 10 MiB. */
  readFile(vaultId: string, itemId: string, attr: FileAttributes): Promise<Uint8Array>;
  /** Frees what the core keeps for the client. */
  release(): void;
}

/** Signs the core in, as `createClient` does it. */
export async function signInCore(service: LocalService): Promise<CoreClient> {
  const configuration = {
    serviceAccountToken: service.token(),
    programmingLanguage: "JS",
    sdkVersion: "0050002",
    ...INTEGRATION,
    requestLibraryName: "Fetch API",
    requestLibraryVersion: "Fetch API",
    os: "linux",
    osVersion: "0.0.0",
    architecture: "x64",
  };
  const clientId = Number(await core.init_client(JSON.stringify(configuration)));
  return {
    async readFile(vaultId, itemId, attr) {
      const parameters = { name: "ItemsFilesRead", parameters: { vault_id: vaultId, item_id: itemId, attr } };
      const answer = await core.invoke(JSON.stringify({ invocation: { clientId, parameters } }));
      return parseByteList(answer);
    },
    release: () => core.release_client(JSON.stringify(clientId)),
  };
}

/** `[1,22,255]` as bytes; a JSON parser would make millions of numbers first. */
function parseByteList(list: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(list.length / 2));
  let length = 0;
  let value = -1;
  for (let at = 0; at < list.length; at++) {
    const digit = list.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) value = Math.max(value, 0) * 10 + digit;
    else if (value >= 0) {
      bytes[length++] = value;
      value = -1;
    }
  }
  return bytes.subarray(0, length);
}
