/** Bytes that are written or read at once, where the server takes so many. */
export const PIECE = 128 * 1024;

/** Bytes under way at once, so that a long way to the server does not make it a slow one. */
export const UNDER_WAY = 1536 * 1024;
