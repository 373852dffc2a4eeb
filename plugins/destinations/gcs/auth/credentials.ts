import { posix, win32 } from "node:path";
import { fromUtf8 } from "../../../../src/base/bytes.ts";
import { AppError, isAppError } from "../../../../src/base/errors.ts";
import { quoted } from "../../../../src/base/safe_names.ts";
import type { World } from "../../../../src/base/world.ts";
import type { DestinationContext } from "../../../../src/destination/plugin.ts";
import type { SecretReference } from "../../../../src/model/secret_reference.ts";

/** What a file of credentials holds; `type` says which kind it is. */
export type CredentialFile = Record<string, unknown> & { type: string };

/** Credentials that were found, and where, for sentences. */
export interface Found {
  file: CredentialFile;
  /** `the key file "…"` */
  what: string;
}

const LIMIT = 64 * 1024;

/**
 * The credentials that are configured, else those that Google's own tools would use (application-default credentials);
 * undefined where no file has any, so that only the account of this machine is left.
 *
 * @throws `misconfigured` where a file is named and cannot be used: nothing else is tried then
 */
export async function findCredentials(
  keyFile: SecretReference | undefined,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { world } = context;
  if (keyFile !== undefined && (typeof keyFile !== "string" || /^(credential|file|env):/.test(keyFile))) {
    const text = (await context.secret(keyFile, signal)).reveal();
    return { file: parsed(text, "the key file"), what: "the key file" };
  }
  if (keyFile !== undefined) return await read(keyFile, `the key file ${quoted(keyFile)}`, context, signal);
  const named = world.env("GOOGLE_APPLICATION_CREDENTIALS");
  if (named !== undefined) {
    const what = `the file ${quoted(named)} that GOOGLE_APPLICATION_CREDENTIALS names`;
    return await read(named, what, context, signal);
  }
  const path = wellKnown(world);
  if (path === undefined) return undefined;
  try {
    await world.files.stat(path);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
  return await read(path, `the application-default credentials ${quoted(path)}`, context, signal);
}

/** Nothing was found, anywhere. */
export function noCredentials(cause: unknown): AppError {
  return new AppError("misconfigured", "no credentials for Google Cloud Storage are to be found", {
    hint: 'give a service account\'s key as "keyFile", or set up application-default credentials ' +
      "(gcloud auth application-default login)",
    cause,
  });
}

/** A file of credentials. What tells only where to get a token is no secret, and may be read by others. */
async function read(
  path: string,
  what: string,
  context: DestinationContext,
  signal: AbortSignal,
): Promise<Found> {
  const open = await context.world.files.read(path, LIMIT).catch(() => undefined);
  const file = open && tried(() => parsed(fromUtf8(open, what), what));
  if (file?.type === "external_account" && file.client_secret === undefined) return { file, what };
  const text = (await context.secret(`file:${path}`, signal)).reveal();
  return { file: parsed(text, what), what };
}

/** Nothing of the text is in the error: it may be a key. */
function parsed(text: string, what: string): CredentialFile {
  const value: unknown = tried(() => JSON.parse(text));
  if (typeof value === "object" && value !== null && "type" in value && typeof value.type === "string") {
    return value as CredentialFile;
  }
  throw new AppError("misconfigured", `${what} holds no credentials of Google (JSON with a "type")`, {
    hint: "create a key of type JSON for the service account; .p12 files are of no use",
  });
}

function tried<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined; // said by whoever needs it
  }
}

/** Where `gcloud auth application-default login` leaves its file. */
function wellKnown(world: World): string | undefined {
  const windows = world.platform.os === "windows";
  const { join } = windows ? win32 : posix;
  const home = world.env(windows ? "APPDATA" : "HOME");
  const folder = world.env("CLOUDSDK_CONFIG") ??
    (home === undefined ? undefined : windows ? join(home, "gcloud") : join(home, ".config", "gcloud"));
  return folder === undefined ? undefined : join(folder, "application_default_credentials.json");
}
