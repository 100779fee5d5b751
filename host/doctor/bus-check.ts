/** Whether a module answers over I2C or SPI (§4, §5), and through what. */
import { isSakuraError, type SakuraError } from "../../protocol/errors.ts";
import { hexByte } from "../../protocol/hex.ts";
import { I2C_ADDRESS } from "../../protocol/wiring.ts";
import type { SakuraModule } from "../module.ts";
import { isUnreached } from "../transport/exchange.ts";
import type { BusPirateUri, LinuxI2cUri, LinuxSpiUri } from "../uri.ts";
import { type Finding, ok, problem } from "./finding.ts";

/** `adapter` for a Bus Pirate, which answered when it was opened; then `answer`. @throws SakuraError ABORTED, PORT_LOST */
export async function* examineBus(
  module: SakuraModule,
  uri: BusPirateUri | LinuxI2cUri | LinuxSpiUri,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding, void> {
  const bus = uri.kind === "buspirate" ? uri.bus : uri.kind;
  if (uri.kind === "buspirate") {
    yield ok("adapter", `a Bus Pirate answers, and is in its ${bus.toUpperCase()} mode`, { facts: { bus } });
  }
  const who = bus === "i2c" ? `the module at ${hexByte(I2C_ADDRESS)}` : "the module";
  try {
    await module.echoBack(Uint8Array.of(0x0f, 0x1e, 0x2d, 0x3c), { signal });
    yield ok("answer", `${who} answers over ${bus.toUpperCase()}`, { facts: { heard: "module", bus } });
  } catch (error) {
    if (!isSakuraError(error)) throw error;
    switch (error.code) {
      case "NO_ANSWER":
      case "DAMAGED_ANSWER":
      case "MODULE_REFUSED":
      case "INVALID_PAYLOAD":
      case "PORT_FAILED":
        yield explain(error, uri, bus);
        return;
      default:
        throw error;
    }
  }
}

/** An adapter that is no Bus Pirate, or does not answer; nothing for what its port itself failed with. */
export function noAdapter(error: unknown): Finding | undefined {
  if (!isSakuraError(error)) return undefined;
  const { code, message } = error;
  if (code !== "NO_ANSWER" && code !== "DAMAGED_ANSWER" && !(code === "PORT_FAILED" && "step" in error.context)) {
    return undefined;
  }
  return problem("adapter", message, {
    advice: [
      "check that this is the Bus Pirate's port: `sakuraio ports`, with and without its cable",
      "plug it out and in: it may be stuck in another mode",
      "version 3 with its usual firmware at 115200 baud is what this program speaks to",
    ],
    facts: { code },
  });
}

function explain(error: SakuraError, uri: BusPirateUri | LinuxI2cUri | LinuxSpiUri, bus: "i2c" | "spi"): Finding {
  const facts = { heard: error.code, bus };
  const powered = uri.kind === "buspirate" && uri.power;
  const power = powered
    ? "check the module's power: here the Bus Pirate gives 3.3 V, which may be too weak for the radio's bursts"
    : "check the module's power: its LED, and 3.3 V";
  const grounds = "join the grounds of the adapter and the module";
  if (error.code === "PORT_FAILED") {
    return problem("answer", error.message, {
      advice: ["plug the adapter out and in, and run the doctor again"],
      facts,
    });
  }
  if (error.code !== "NO_ANSWER") {
    return problem("answer", `something answers, and not as a module does: ${error.message}`, {
      advice: [
        bus === "i2c" ? "check that no other device has this address" : "check MISO, MOSI, clock and chip select",
        "shorten the wires, and join the grounds",
        bus === "i2c"
          ? "check the pull-ups: one pair, 2.2 to 10 kΩ to 3.3 V"
          : "lower the clock: it takes 350 kHz at most",
      ],
      facts,
    });
  }
  if (bus === "spi") {
    return problem("answer", error.message, {
      advice: [power, "check MISO, MOSI, clock and chip select: each to the pin of its own name", grounds],
      facts,
    });
  }
  if (!isUnreached(error)) {
    return problem("answer", error.message, {
      advice: ["wait if it updates its firmware, and run the doctor again"],
      facts,
    });
  }
  return problem("answer", `nothing acknowledges at ${hexByte(I2C_ADDRESS)}, the module's address`, {
    advice: [
      "check SDA and SCL: each to the pin of its own name (they are not crossed, as TX and RX are)",
      power,
      "check the pull-ups: without any, SDA and SCL never rise (a Bus Pirate has its own unless ?pullups=off)",
      grounds,
    ],
    facts,
  });
}
