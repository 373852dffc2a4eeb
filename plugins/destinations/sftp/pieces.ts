/** Bytes that are written or read at once: with what is around them they fit into one packet of SSH. */
export const PIECE = 31 * 1024;

/** Pieces under way at once, so that a long way to the server does not make it a slow one. */
export const UNDER_WAY = 64;
