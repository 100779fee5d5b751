/** The Bus Pirate v3: a serial adapter that carries I2C and SPI (§6). */
export { type BusPirateI2cOptions, openBusPirateI2c } from "./bus-pirate/i2c.ts";
export { type BusPirateSpiOptions, openBusPirateSpi } from "./bus-pirate/spi.ts";
