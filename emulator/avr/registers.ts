/** Bits of the ATmega328P's registers that this simulation reads or drives itself (datasheet §36, register summary). */
import type { CPU } from "avr8js";

/** Of the CPU, in Hz: the crystal of an Arduino Uno. */
export const CPU_HZ = 16_000_000;

/** An interrupt source, as avr8js's CPU takes it; its package does not export the name. */
export type InterruptSource = Parameters<CPU["setInterruptFlag"]>[0];

/** TWCR, §22.9.2. */
export const TWINT = 0x80;
export const TWEA = 0x40;
export const TWSTA = 0x20;
export const TWSTO = 0x10;
export const TWWC = 0x08;
export const TWEN = 0x04;
export const TWIE = 0x01;

/** UCSR0A, §20.11.2. */
export const RXC = 0x80;
export const TXC = 0x40;
export const UDRE = 0x20;
export const DOR = 0x08;
export const U2X = 0x02;
export const MPCM = 0x01;

/** UCSR0B, §20.11.3. */
export const RXCIE = 0x80;
export const TXCIE = 0x40;
export const UDRIE = 0x20;
export const RXEN = 0x10;
export const TXEN = 0x08;
export const UCSZ2 = 0x04;

/** SPCR, §19.5.1. */
export const DORD = 0x20;
export const CPOL = 0x08;
export const CPHA = 0x04;

/** SMCR, §10.11.1: sleep enable. */
export const SMCR = 0x53;
export const SE = 0x01;
