import { posix, win32 } from "node:path";
import { fromUtf8 } from "../base/bytes.ts";
import { AppError, isAppError, throwIfCancelled } from "../base/errors.ts";
import { printable, quoted } from "../base/safe_names.ts";
import { redact, REDACTED, Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";
import type { SecretReference } from "../model/secret_reference.ts";

const LONGEST_SECRET = 64 * 1024;
const COMMAND_TIMEOUT = 30_000;

/**
 * Looks up the secret that `reference` points to; `misconfigured` where it is not to be had. Nothing of a secret
 * is ever in a message, and line ends after it are no part of it.
 */
export async function resolveSecret(
  world: World,
  reference: SecretReference,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<Secret> {
  throwIfCancelled(signal);
  if (typeof reference !== "string") return await fromCommand(world, reference.command, signal);
  const colon = reference.indexOf(":");
  const where = reference.slice(colon + 1);
  switch (reference.slice(0, colon)) {
    case "credential":
      return await fromCredential(world, where);
    case "file":
      return await fromFile(world, where);
    case "env":
      return fromEnvironment(world, where, warn);
    default:
      // Not quoted: who does not write a reference has written the secret itself.
      throw new AppError("misconfigured", "a secret is given that is no reference to one", {
        hint: "write file:PATH, credential:NAME, env:NAME or {command: [program, …]}",
      });
  }
}

/**
 * Looks whether a secret is to be had, without reading it; returns what can only be known by the service itself or by
 * doing it, for people.
 *
 * @throws `misconfigured` where it is certain that it is not to be had.
 */
export async function checkSecret(world: World, reference: SecretReference): Promise<string | undefined> {
  if (typeof reference !== "string") return `what the command ${shown(reference.command[0] ?? "")} writes`;
  const colon = reference.indexOf(":");
  const where = reference.slice(colon + 1);
  switch (reference.slice(0, colon)) {
    case "file":
      await findFile(world, where);
      return undefined;
    case "credential":
      checkCredentialName(where);
      if (world.env("CREDENTIALS_DIRECTORY") === undefined) {
        return `the credential ${shown(where)}, which systemd gives to the service alone`;
      }
      await findCredential(world, where);
      return undefined;
    default:
      checkVariableName(where);
      return world.env(where) === undefined
        ? `the environment variable ${shown(where)}, which is not set here`
        : undefined;
  }
}

/** A file that systemd has decrypted for this service alone; who may read it is systemd's business. */
async function fromCredential(world: World, name: string): Promise<Secret> {
  checkCredentialName(name);
  const path = await findCredential(world, name);
  return await plainly(async () =>
    secretIn(await world.files.read(path, LONGEST_SECRET), `the credential ${shown(name)}`)
  );
}

function checkCredentialName(name: string): void {
  if (/[/\\:\0]/.test(name) || name === "." || name === "..") {
    throw new AppError("misconfigured", `a credential's name has no path in it, as ${shown(name)} has`);
  }
}

async function findCredential(world: World, name: string): Promise<string> {
  const folder = world.env("CREDENTIALS_DIRECTORY");
  if (folder === undefined) {
    throw new AppError(
      "misconfigured",
      `the credential ${shown(name)} is not to be had: no CREDENTIALS_DIRECTORY`,
      {
        hint:
          `start vaultferry from a systemd unit with LoadCredential= or LoadCredentialEncrypted=, or use file:PATH`,
      },
    );
  }
  const path = pathsOf(world).join(folder, name);
  return await plainly(async () => {
    const info = await world.files.stat(await world.files.realPath(path));
    if (info.kind !== "file") throw new AppError("misconfigured", `${shown(path)} is not a regular file`);
    return path;
  });
}

/** A file that nobody but its owner may read. */
async function fromFile(world: World, path: string): Promise<Secret> {
  const real = await findFile(world, path);
  return await plainly(async () => secretIn(await world.files.read(real, LONGEST_SECRET), shown(path)));
}

/** The real path of a file that nobody but its owner may read; of a link, the file it leads to counts. */
async function findFile(world: World, path: string): Promise<string> {
  if (!pathsOf(world).isAbsolute(path)) {
    // Not quoted: what is no path may be the secret itself.
    throw new AppError("misconfigured", "the path of a secret's file must be absolute: file:/…", {
      hint: /^~|^\$/.test(path)
        ? "neither ~ nor $VARIABLES are filled in: write the whole path"
        : "a timer starts vaultferry in another folder than you do: write the whole path",
    });
  }
  return await plainly(async () => {
    const real = await world.files.realPath(path);
    const { kind, mode } = await world.files.stat(real);
    if (kind !== "file") throw new AppError("misconfigured", `${shown(path)} is not a regular file`);
    if (mode !== undefined && (mode & 0o077) !== 0) {
      throw new AppError("misconfigured", `other users may use the secret in ${shown(path)}`, {
        hint: `chmod 600 ${/^[\w./-]+$/.test(real) ? redact(real) : shown(real)}`,
      });
    }
    return real;
  });
}

function fromEnvironment(world: World, name: string, warn: (message: string) => void): Secret {
  checkVariableName(name);
  const value = world.env(name);
  if (value === undefined) {
    throw new AppError("misconfigured", `the environment variable ${shown(name)} is not set`);
  }
  warn(
    `the secret in ${shown(name)} can leak: other programs may see environments; prefer credential: or file:`,
  );
  return secretIn(new TextEncoder().encode(value), `the environment variable ${shown(name)}`);
}

function checkVariableName(name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  throw new AppError("misconfigured", "env: must be followed by the name of an environment variable");
}

async function fromCommand(world: World, command: readonly string[], signal: AbortSignal): Promise<Secret> {
  const program = shown(command[0] ?? "");
  return await plainly(async () => {
    const { code, stdout, stderr } = await world.run(command, { signal, timeout: COMMAND_TIMEOUT });
    if (code !== 0) {
      throw new AppError(
        "misconfigured",
        `the command ${program} failed (exit code ${code})${said(stderr, stdout)}`,
      );
    }
    return secretIn(stdout, `what the command ${program} wrote`);
  });
}

/** The first line of what a failed command complained, without the secret should it be in there. */
function said(stderr: Uint8Array, stdout: Uint8Array): string {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const secret = text(stdout).trim();
  const line = text(stderr).split(/[\r\n]+/).find((line) => line.trim() !== "")?.trim() ?? "";
  const safe = printable(redact(secret === "" ? line : line.replaceAll(secret, REDACTED)));
  return safe === "" ? "" : `: ${safe.length > 200 ? safe.slice(0, 200) + "…" : safe}`;
}

function secretIn(bytes: Uint8Array, what: string): Secret {
  if (bytes.length > LONGEST_SECRET) throw new AppError("misconfigured", `${what} is too long for a secret`);
  const text = fromUtf8(bytes, what).replace(/[\r\n]+$/, "");
  if (text === "") throw new AppError("misconfigured", `${what} is empty`);
  // UTF-16, as Windows PowerShell writes it, or no text at all: no token or password has such a character.
  if (text.includes("\0")) throw new AppError("misconfigured", `${what} is not UTF-8 text`);
  return new Secret(text);
}

/** Whatever stands in the way of a secret is for the person who set it up, except what passes by itself. */
async function plainly<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!isAppError(cause, "not-found", "denied", "corrupt")) throw cause;
    throw new AppError("misconfigured", redact(cause.message), { cause });
  }
}

/** A path or name for a message, unless it is a secret written in the wrong place. */
function shown(text: string): string {
  return quoted(redact(text));
}

function pathsOf(world: World) {
  return world.platform.os === "windows" ? win32 : posix;
}
