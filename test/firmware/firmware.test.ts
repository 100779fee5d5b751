/** The example firmwares as they are checked in, on the generated header (docs/firmware-header.md). */
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import {
  type ExampleBus,
  measuresAndAnswers,
  outlivesABadLine,
  outlivesBeingOffline,
  outlivesNobody,
} from "./behaviour.ts";

describe.each<ExampleBus>(["i2c", "spi"])("the example firmware on %s", (bus) => {
  const hex = fileURLToPath(new URL(`${bus}/firmware.hex`, import.meta.url));

  it("sends what it measures, and answers what comes down", () => measuresAndAnswers(hex, bus));
  it("waits for the network, and keeps what it could not send", () => outlivesBeingOffline(hex, bus));
  it("outlives a bad line", () => outlivesABadLine(hex, bus));
  it("goes on asking where nobody is", () => outlivesNobody(hex, bus));
});
