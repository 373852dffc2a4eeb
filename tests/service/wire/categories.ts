/** Every category that `@1password/sdk` 0.5.0 can name, and the template that stands for it on the wire. */
export const TEMPLATE_OF_CATEGORY = {
  Login: "001",
  CreditCard: "002",
  SecureNote: "003",
  Identity: "004",
  Password: "005",
  Document: "006",
  SoftwareLicense: "100",
  BankAccount: "101",
  Database: "102",
  DriverLicense: "103",
  OutdoorLicense: "104",
  Membership: "105",
  Passport: "106",
  Rewards: "107",
  SocialSecurityNumber: "108",
  Router: "109",
  Server: "110",
  Email: "111",
  ApiCredentials: "112",
  MedicalRecord: "113",
  SshKey: "114",
  CryptoWallet: "115",
  Person: "910",
  /** A template the SDK has never heard of: it lists and gives such an item as "Unsupported". */
  Unsupported: "999",
} as const;

/** A category by the SDK's own name. */
export type Category = keyof typeof TEMPLATE_OF_CATEGORY;

/** All categories, "Unsupported" last. */
export const CATEGORIES = Object.keys(TEMPLATE_OF_CATEGORY).filter((name) => name !== "Unsupported")
  .concat("Unsupported") as Category[];

/** The category behind a template: "Unsupported" where the SDK knows none. */
export function categoryOfTemplate(template: string): Category {
  return CATEGORIES.find((name) => TEMPLATE_OF_CATEGORY[name] === template) ?? "Unsupported";
}
