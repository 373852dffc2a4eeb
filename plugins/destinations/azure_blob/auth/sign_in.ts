import { Buffer } from "node:buffer";
import { AppError } from "../../../../src/base/errors.ts";
import { Secret } from "../../../../src/base/secret.ts";
import type { HttpDoor } from "../../../../src/destination/http/door.ts";
import type { DestinationContext } from "../../../../src/destination/plugin.ts";
import { AnonymousCredential, BlobServiceClient, newPipeline, StorageSharedKeyCredential } from "../sdk.ts";
import { isPrivateWay } from "../../../../src/destination/http/settings.ts";
import type { AzureSettings } from "../settings.ts";

/** How requests to one container are signed. */
export interface SignIn {
  /** The container's address, with the shared access signature where that is the way. */
  url: string;
  credential: NonNullable<Parameters<typeof newPipeline>[0]>;
  /** What the shared access signature says of itself. */
  sas: URLSearchParams | undefined;
  /** Returns when requests can be signed; throws as {@linkcode signInOf}. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ends what is under way. */
  close(): void;
}

/**
 * Finds what the settings name; every secret part of it is added to `secrets`.
 *
 * @throws `misconfigured` where it cannot be used, in words that quote nothing of it; `denied` and `transient` where a
 * token is asked for
 */
export async function signInOf(
  settings: AzureSettings,
  door: HttpDoor,
  context: DestinationContext,
  secrets: Secret[],
  signal: AbortSignal,
): Promise<SignIn> {
  const { sas, accountKey, connectionString, container } = settings;
  const found = async (reference: NonNullable<AzureSettings["sas"]>) => {
    const value = (await context.secret(reference, signal)).reveal().trim();
    secrets.push(new Secret(value));
    return value;
  };
  if (connectionString !== undefined) return connected(await found(connectionString), settings, secrets);
  const { account = "", endpoint = `https://${account}.blob.core.windows.net` } = settings;
  const url = `${endpoint}/${container}`;
  if (sas !== undefined) return withSas(url, await found(sas), secrets);
  if (accountKey !== undefined) return withKey(url, account, await found(accountKey));
  const { Identity } = await import("./identity.ts");
  const identity = new Identity(settings, {
    ...{ door, clock: context.world.clock, secrets },
    namesAuthority: context.world.env("AZURE_AUTHORITY_HOST") !== undefined,
  });
  try {
    await identity.ready(signal);
  } catch (error) {
    identity.close();
    throw error;
  }
  return {
    ...{ url, credential: identity, sas: undefined },
    ready: (until) => identity.ready(until),
    close: () => identity.close(),
  };
}

function withSas(url: string, text: string, secrets: Secret[]): SignIn {
  const query = text.replace(/^\?/, ""), sas = new URLSearchParams(query), signature = sas.get("sig");
  // Without a signature the request would be an anonymous one, which might even be answered.
  if (!signature || !/^[\x21-\x7e]+$/.test(query) || /:\/\//.test(query)) {
    throw new AppError("misconfigured", 'the "sas" is no shared access signature', {
      hint: "give what follows the question mark of its address: sv=…&sig=…",
    });
  }
  const raw = /(?:^|&)sig=([^&]*)/.exec(query)?.[1] ?? signature;
  secrets.push(new Secret(query), new Secret(signature), new Secret(raw));
  return { url: `${url}?${query}`, credential: new AnonymousCredential(), sas, ready: always, close };
}

function withKey(url: string, account: string, key: string): SignIn {
  if (!isKey(key)) {
    throw new AppError("misconfigured", 'the "accountKey" is no key of a storage account', {
      hint: "a key is base64 and ends with ==; it stands under Access keys in the portal",
    });
  }
  return {
    url,
    credential: new StorageSharedKeyCredential(account, key),
    sas: undefined,
    ready: always,
    close,
  };
}

/** What the library makes of a connection string; its own words would quote it. */
function connected(text: string, { account, container }: AzureSettings, secrets: Secret[]): SignIn {
  const parts = new Map(
    text.split(";").map((
      part,
    ) => [part.split("=", 1)[0]!.trim().toLowerCase(), part.replace(/^[^=]*=/, "").trim()]),
  );
  const unfit = (why: string) =>
    new AppError("misconfigured", `the "connectionString" ${why}`, {
      hint: "copy it whole, from Access keys or Shared access signature in the portal",
    });
  const [key, signature] = [parts.get("accountkey"), parts.get("sharedaccesssignature")];
  for (const value of [key, signature]) if (value) secrets.push(new Secret(value));
  if (key && !isKey(key)) throw unfit("holds no valid AccountKey");
  let client: BlobServiceClient;
  try {
    client = BlobServiceClient.fromConnectionString(text);
  } catch {
    throw unfit("cannot be used");
  }
  const credential = client.credential, { origin, pathname, searchParams } = new URL(client.url);
  const whose = parts.get("accountname") ?? client.accountName;
  if (account !== undefined && whose && whose !== account) throw unfit("is one of another account");
  const url = `${origin}${pathname.replace(/\/+$/, "")}/${container}`;
  if (credential instanceof StorageSharedKeyCredential) {
    return { url, credential, sas: undefined, ready: always, close };
  }
  if (!searchParams.has("sig") || !signature) {
    throw unfit("holds neither an AccountKey nor a SharedAccessSignature");
  }
  if (!isPrivateWay(new URL(url))) throw unfit("holds a signature for an address without https://");
  return withSas(url, signature, secrets);
}

function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{40,}={0,2}$/.test(text) && Buffer.from(text, "base64").length >= 32;
}

function always(): Promise<void> {
  return Promise.resolve();
}

function close(): void {}
