/** Literal bytes, read by nothing that is under test: `bytes("A1 00 A1")`. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(" ").filter(Boolean), (pair) => {
    if (!/^[0-9A-F]{2}$/.test(pair)) throw new TypeError(`"${pair}" in a vector is no byte`);
    return Number.parseInt(pair, 16);
  });
}

/** The character codes of a text that is all ASCII, one byte each. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
