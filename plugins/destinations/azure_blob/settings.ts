import { z } from "zod";
import { accessSetting } from "../../../src/destination/access.ts";
import { httpSettings, isPrivateWay } from "../../../src/destination/http/settings.ts";
import { prefixSetting, timeoutSetting } from "../../../src/destination/settings.ts";
import { secretReference } from "../../../src/model/secret_reference.ts";

/** The ways to sign in, of which exactly one is given. */
const WAYS = ["sas", "accountKey", "connectionString", "identity"] as const;

const endpoint = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const say = (message: string) => context.addIssue({ code: "custom", message });
  if (!url || !/^https?:$/.test(url.protocol)) {
    say("must be an address such as https://acme.blob.core.chinacloudapi.cn");
  } else if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    say('must hold no credentials: give what follows the question mark as "sas"');
  }
}).transform((text) => text.replace(/\/+$/, ""));

/** The plugin's own part of the config. */
export const azureSettings = z.strictObject({
  account: z.string().regex(/^[a-z0-9]{3,24}$/, "must be a storage account's name alone").optional()
    .describe("storage account; left out where a connectionString names it"),
  container: z.string()
    .regex(/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/, "must be a container's name alone, such as vaults")
    .describe("container that keeps the archives; it must exist"),
  prefix: prefixSetting("container"),
  sas: secretReference.optional()
    .describe("shared access signature (what follows the question mark of its address), as a reference"),
  accountKey: secretReference.optional().describe("one of the account's two keys, as a reference"),
  connectionString: secretReference.optional()
    .describe("connection string with an account key or a shared access signature, as a reference"),
  identity: z.enum(["default", "managed", "workload"]).optional().describe(
    "sign in with Microsoft Entra ID. managed: this machine's managed identity; workload: a federated token " +
      "(AZURE_FEDERATED_TOKEN_FILE); default: what Azure's own tools would use (environment, workload, managed, az)",
  ),
  clientId: z.guid("must be the id of a managed identity or an app").optional()
    .describe("which managed identity or app, where there are several"),
  endpoint: endpoint.optional()
    .describe("address of the account's blob service, where it is not https://ACCOUNT.blob.core.windows.net"),
  timeout: timeoutSetting,
  ...accessSetting,
  ...httpSettings,
}).superRefine((settings, context) => {
  const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  const given = WAYS.filter((way) => settings[way] !== undefined);
  if (given.length === 0) say("sas", `is missing: give one of ${WAYS.join(", ")}`);
  for (const way of given.slice(1)) say(way, `is given besides ${given[0]}: one is enough`);
  if (settings.connectionString === undefined) {
    if (settings.account === undefined) say("account", "is missing");
  } else if (settings.endpoint !== undefined) {
    say("endpoint", "is given besides a connectionString, which names one itself");
  }
  if (settings.clientId !== undefined && settings.identity === undefined) {
    say("clientId", "is given without an identity");
  }
  // A signature in the address and a token can be read by whoever stands on the way.
  const url = URL.parse(settings.endpoint ?? "");
  if (url && !isPrivateWay(url) && settings.accountKey === undefined) {
    say("endpoint", "must begin with https://: a signature or a token is sent to it");
  }
});

/** What {@linkcode azureSettings} parse to. */
export type AzureSettings = z.infer<typeof azureSettings>;
