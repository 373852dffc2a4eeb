import { Published } from "./published.ts";

/** Names another place of the description; what it names must be there. */
export const VARIABLE = "CONNECT_SPEC";

/** Where 1Password publishes it. */
const SOURCE = "https://github.com/1Password/connect, docs/openapi/spec.yaml";

/** Beside the checkout, where it is read in place: it is 1Password's, so no copy lies in this repository. */
const BESIDE = new URL("../../../../shared/spec/connect-openapi.yaml", import.meta.url);

/**
 * Connect's published description; undefined where there is none, so that a bare clone still runs its tests.
 * @throws when `CONNECT_SPEC` names a file that is not there
 */
export async function findPublished(): Promise<Published | undefined> {
  const named = Deno.env.get(VARIABLE);
  try {
    return await Published.read(named ? named : BESIDE);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (named) throw new Error(`${VARIABLE} names ${named}, and there is no such file (it is at ${SOURCE})`);
    return undefined;
  }
}

/** Why answers are not compared with the description, in words for whoever reads the test's output. */
export const ABSENT =
  `the answers of the Connect server in these tests were NOT compared with Connect's published description: it is ` +
  `not at ${BESIDE.pathname}; name it in ${VARIABLE} (from ${SOURCE})`;

/** Read once for all servers of a test run. */
export const published: Published | undefined = await findPublished();
