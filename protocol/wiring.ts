/** Numbers of the module's buses that both sides, and the C header, go by. */

/** The module's 7-bit address (§4). */
export const I2C_ADDRESS = 0x4f;
/** The fastest SPI clock that the module takes, in Hz (§5). */
export const SPI_HZ_MAX = 350_000;
