import { AppError, isAppError } from "../../../src/base/errors.ts";
import type { Api } from "./api.ts";

/** An object as it is asked for here. */
export interface ObjectShown {
  /** Bytes. */
  size: number;
  /** Another one whenever the content is another. */
  generation: string;
  crc32c: string | undefined;
  retainUntil: Date | undefined;
}

/** The fields of {@linkcode ObjectShown}, for requests. */
export const OBJECT_FIELDS = "kind,name,size,generation,crc32c,retention";

/** What Google says of an object. */
export interface GcsObject {
  name?: string;
  size?: string;
  generation?: string;
  crc32c?: string;
  retention?: { mode?: string; retainUntilTime?: string };
}

/** Looks at an object; undefined where there is none, which only a bucket can say that is there. */
export async function lookAt(api: Api, name: string, what: string, signal: AbortSignal) {
  const url = api.objects(name);
  url.searchParams.set("fields", OBJECT_FIELDS);
  const object = await api.json<GcsObject>(url, "storage#object", { what, object: true, signal }).catch(
    (error) => {
      if (isAppError(error, "not-found")) return undefined;
      throw error;
    },
  );
  return object && shown(object);
}

/** Checked: nothing is calculated with what is no number. */
export function shown(object: GcsObject): ObjectShown {
  const { size = "", generation = "", crc32c, retention } = object;
  if (!/^\d{1,15}$/.test(size) || !/^\d+$/.test(generation)) {
    throw new AppError("transient", "the answer says neither size nor generation of the object");
  }
  const until = retention?.mode === undefined ? undefined : new Date(retention.retainUntilTime ?? Number.NaN);
  return { size: Number(size), generation, crc32c, retainUntil: until };
}

/**
 * Removes an object, only this generation where one is given; fine where there is none. What is asked twice, because an
 * answer was lost, finds nothing the second time.
 */
export async function removeObject(
  api: Api,
  name: string,
  what: string,
  signal: AbortSignal,
  generation?: string,
): Promise<void> {
  const url = api.objects(name);
  if (generation !== undefined) url.searchParams.set("generation", generation);
  try {
    const answer = await api.call(url, { method: "DELETE", what, object: true, signal, fine: [204] });
    await answer.body?.cancel();
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
}

/** Whether single objects of the bucket can be locked; undefined where the credentials do not let us know. */
export async function canLock(api: Api, signal: AbortSignal): Promise<boolean | undefined> {
  const { endpoint, bucket } = api.parts;
  const url = new URL(`${endpoint}/storage/v1/b/${bucket}?fields=kind,objectRetention`);
  const what = `the bucket "${bucket}"`;
  try {
    const found = await api.json<{ objectRetention?: { mode?: string } }>(url, "storage#bucket", {
      what,
      signal,
    });
    return found.objectRetention?.mode === "Enabled";
  } catch (error) {
    if (isAppError(error, "denied")) return undefined;
    throw error;
  }
}

/** Nothing of the bucket can be locked; refused before a byte is sent, or by the service. */
export function noLocks(bucket: string): AppError {
  return new AppError("unsupported", `the bucket "${bucket}" cannot lock single objects`, {
    hint:
      `enable object retention (gcloud storage buckets update gs://${bucket} --enable-per-object-retention), ` +
      'or leave "immutableFor" out',
  });
}
