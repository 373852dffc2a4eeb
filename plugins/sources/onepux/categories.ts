/** What the categories of an export are called by 1Password's SDK. */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ["001", "Login"],
  ["002", "CreditCard"],
  ["003", "SecureNote"],
  ["004", "Identity"],
  ["005", "Password"],
  ["006", "Document"],
  ["100", "SoftwareLicense"],
  ["101", "BankAccount"],
  ["102", "Database"],
  ["103", "DriverLicense"],
  ["104", "OutdoorLicense"],
  ["105", "Membership"],
  ["106", "Passport"],
  ["107", "Rewards"],
  ["108", "SocialSecurityNumber"],
  ["109", "Router"],
  ["110", "Server"],
  ["111", "Email"],
  ["112", "ApiCredentials"],
  ["113", "MedicalRecord"],
  ["114", "SshKey"],
  ["115", "CryptoWallet"],
  ["910", "Person"],
]);

/** The SDK's name of a category; unknown ones are kept as they are. */
export function categoryOf(uuid: string): string {
  return CATEGORIES.get(uuid) ?? uuid;
}
