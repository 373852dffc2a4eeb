/** Microsoft's library for signing in, as far as it is used; by name, as `sdk.ts` says. */
export { createHttpHeaders } from "@azure/core-rest-pipeline";
export type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
export {
  DefaultAzureCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
export type { AccessToken, TokenCredential } from "@azure/identity";
