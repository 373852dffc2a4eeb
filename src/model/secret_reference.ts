import { z } from "zod";

/**
 * Where a secret is to be found. The config never holds one itself.
 *
 * `credential:NAME` (systemd's `$CREDENTIALS_DIRECTORY`), `file:PATH` (refused when group or others may read
 * it), `env:NAME` (works, with a warning: environments leak), or `{command: [program, argument, …]}`.
 */
export const secretReference = z.union([
  z.string().regex(/^(credential|file|env):.+$/s, {
    error:
      "is not a reference to a secret: write file:PATH, credential:NAME, env:NAME or {command: [program, …]}",
  }),
  z.strictObject({ command: z.array(z.string()).min(1) }),
]).meta({
  description: "a reference to a secret: file:PATH, credential:NAME, env:NAME or {command: [program, …]}",
});

export type SecretReference = z.infer<typeof secretReference>;
