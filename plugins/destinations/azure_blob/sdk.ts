/** Microsoft's library, as far as it is used: by name, because a bundler gives `import()` of it nothing but `default`. */
export {
  AnonymousCredential,
  BlobServiceClient,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
export type {
  BlobImmutabilityPolicy,
  BlockBlobUploadOptions,
  ContainerListBlobFlatSegmentResponse,
} from "@azure/storage-blob";
export { setLogLevel } from "@azure/logger";
