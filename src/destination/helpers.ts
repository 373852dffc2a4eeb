import { collect, concat, fromUtf8, hex, streamOf, utf8 } from "../base/bytes.ts";
import { AppError, isAppError } from "../base/errors.ts";
import { digestOf, Sha256, sha256Hex } from "../base/hash.ts";
import { retry } from "../base/retry.ts";
import { quoted } from "../base/safe_names.ts";
import { refuseUnsupported } from "./access.ts";
import { blocksOf, guarded, orCancelled, pour, streamed } from "./body.ts";
import { foldersOfPrefix, isKey, isPartialOf, partialName, partsOfKey, withinSize } from "./keys.ts";
import { putOnce } from "./put_once.ts";
import { resumableGet } from "./resumable_get.ts";
import { watched } from "./watchdog.ts";

/** The version of the contract for destinations that people write themselves; docs/plugins.md tells what it promises. */
export const CONTRACT = 1;

/**
 * What a destination of one's own gets to work with, since it can import nothing. Names, arguments and results are a
 * part of contract 1: what is in here may be added to, and never be changed or taken away without a contract 2.
 */
export const helpers = Object.freeze({
  ...{ AppError, isAppError, quoted, retry },
  // putting
  ...{ putOnce, pour, streamed, blocksOf, refuseUnsupported },
  // getting
  ...{ resumableGet, guarded, orCancelled, watched },
  // keys
  ...{ partsOfKey, foldersOfPrefix, isKey, partialName, isPartialOf, withinSize },
  // digests and bytes
  ...{ Sha256, sha256Hex, digestOf, collect, concat, streamOf, utf8, fromUtf8, hex },
});

export type Helpers = typeof helpers;
