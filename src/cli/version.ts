/** The version of this program; `scripts/ok.ts` checks that deno.json says the same. */
export const VERSION = "0.1.0";
