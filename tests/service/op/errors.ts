/** What `op` complains of, as it words it; its exit code. */
export class OpComplaint extends Error {
  constructor(message: string, readonly code = 1) {
    super(message);
  }
}

/** The sentences of the real program, collected in the facts file and from public bug reports. */
export const SAYS = {
  noItem: (name: string) => `"${name}" isn't an item. Specify the item with its UUID, name, or domain.`,
  noItemIn: (name: string, vault: string) =>
    `"${name}" isn't an item in the "${vault}" vault. Specify the item with its UUID, name, or domain.`,
  noVault: (name: string) =>
    `"${name}" isn't a vault in this account. Specify the vault with its ID or name.`,
  notRead: (reference: string, why: string) => `could not read secret '${reference}': ${why}`,
  deletedOrArchived: (item: string, vault: string) =>
    `could not find item ${item} in vault ${vault}, because it has been deleted or archived.`,
  noField: (item: string, field: string) => `item '${item}' does not have a field '${field}'`,
  noSignIn: "account is not signed in",
  dismissed: "authorization prompt dismissed, please try again",
  timedOut: "authorization timeout",
  noAccounts: "No accounts configured for use with 1Password CLI.",
  noDesktopApp:
    "connecting to desktop app: read: connection reset, make sure 1Password CLI is installed correctly",
  badToken:
    "failed to DecodeSACredentials: failed to DeserializeServiceAccountAuthToken, unrecognized auth type",
  deletedToken:
    "(403) Forbidden (Service Account Deleted): The Service Account used in this integration has been deleted.",
  wrongToken: "Signin credentials are not compatible with the provided user auth from server",
  noVaultGiven: "a vault query must be provided when this command is called by a service account. " +
    "Please specify one through the --vault flag or through piped input",
  quota: (wait = "59 minutes") =>
    "(429) Too Many Requests: You've reached the maximum number of this type of requests this service account is " +
    `allowed to make. Please retry in ${wait} or try other requests.`,
  noNetwork: 'Get "https://my.1password.com/api/v1/vaults": dial tcp: lookup my.1password.com: no such host',
  gatewayTimeout: "(504) Unknown: An unknown error occurred.",
  exists: "cannot prompt for confirmation. Use the '-f' or '--force' flag to skip confirmation.",
  connect: "could not reach the Connect server",
} as const;
