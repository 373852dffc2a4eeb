/** As much of yauzl 3.4 as is used here: the package brings no types of its own. */

/** One entry of the zip's directory, as the directory tells it; nothing of it has been checked against the file. */
export interface Entry {
  generalPurposeBitFlag: number;
  compressionMethod: number;
  crc32: number;
  compressedSize: number;
  uncompressedSize: number;
  externalFileAttributes: number;
  relativeOffsetOfLocalHeader: number;
  fileNameRaw: Uint8Array;
  extraFields: { id: number; data: Uint8Array }[];
  isEncrypted(): boolean;
}

/** What stands before an entry's data. */
export interface LocalFileHeader {
  fileDataStart: number;
  generalPurposeBitFlag: number;
  compressionMethod: number;
  fileName: Uint8Array;
}

export interface ZipFile {
  entryCount: number;
  /** Where the next entry of the directory is looked for. */
  readEntryCursor: number;
  eachEntry(): AsyncIterableIterator<Entry>;
  readLocalFileHeaderPromise(entry: Entry): Promise<LocalFileHeader>;
}

declare class RandomAccessReader {
  /** Fills `buffer` from `offset` with `length` bytes of the file at `position`. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: (error: unknown, bytesRead?: number) => void,
  ): void;
}

declare const yauzl: {
  RandomAccessReader: typeof RandomAccessReader;
  fromRandomAccessReaderPromise(
    reader: RandomAccessReader,
    totalSize: number,
    options: { autoClose: boolean; decodeStrings: boolean; validateEntrySizes: boolean },
  ): Promise<ZipFile>;
  getFileNameLowLevel(
    generalPurposeBitFlag: number,
    fileNameRaw: Uint8Array,
    extraFields: { id: number; data: Uint8Array }[],
    strictFileNames: boolean,
  ): string;
};

export default yauzl;
