/** Parsers for the values of command-line options: a wrong one is wrong usage, said in one line. */
import { InvalidArgumentError } from "commander";

/** An integer within a range. */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`It is an integer from ${low} to ${high}.`);
    return value;
  };
}
