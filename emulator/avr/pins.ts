/** The ATmega328P's pins by name: the port's (PB5), or the Arduino Uno's (D13, A4). */
import { SakuraError } from "../../protocol/errors.ts";

export type PortName = "B" | "C" | "D";

export interface Pin {
  /** As the Uno's board says, else the port's name: D13, A4, PC6. */
  readonly name: string;
  readonly port: PortName;
  /** 0 to 7. */
  readonly bit: number;
}

/** What an output pin drives; an input is `high` with its pull-up on and `floating` without. */
export type PinLevel = "high" | "low" | "floating";

/** D0–D7 are PD0–PD7, D8–D13 are PB0–PB5, A0–A5 are PC0–PC5 (Arduino's pins_arduino.h for the Uno). */
const uno: readonly Pin[] = [
  ...Array.from({ length: 8 }, (_, bit): Pin => ({ name: `D${bit}`, port: "D", bit })),
  ...Array.from({ length: 6 }, (_, bit): Pin => ({ name: `D${bit + 8}`, port: "B", bit })),
  ...Array.from({ length: 6 }, (_, bit): Pin => ({ name: `A${bit}`, port: "C", bit })),
];

/**
 * `D13`, `13`, `A4`, `PB5`, in either case.
 * @throws SakuraError INVALID_ARGUMENT for a name that is no pin
 */
export function pinNamed(text: string): Pin {
  const name = text.trim().toUpperCase();
  const byPort = /^P([BCD])([0-7])$/.exec(name);
  const found = byPort
    ? uno.find(({ port, bit }) => port === byPort[1] && bit === Number(byPort[2]))
    : uno.find((pin) => pin.name === name || pin.name === `D${name}`);
  if (found) return found;
  throw new SakuraError("INVALID_ARGUMENT", `a pin is D0 to D13, A0 to A5, or PB0 to PD7 by its port, not "${text}"`, {
    context: { pin: text },
  });
}
