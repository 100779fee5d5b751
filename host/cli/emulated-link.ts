/** Link `emulated`: the bridge is the module, and an MCU is on the wire. Where the bridge and the emulator meet. */
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { Link } from "../bridge/link.ts";
import { retryingLink } from "../bridge/links/retrying.ts";
import type { LinkContext } from "../bridge/start.ts";
import { parseDeviceEndpoint } from "../config/device-endpoint.ts";
import type { EmulatedModuleConfig } from "../config/schema.ts";
import { openDeviceEndpoint } from "./open-endpoint.ts";

/** @throws SakuraError INVALID_ARGUMENT for an endpoint that is none */
export function emulatedLink(config: EmulatedModuleConfig, { clock, random }: LinkContext): Link {
  const { id, uart, tx_queue: txQueue, rx_queue: rxQueue } = config;
  parseDeviceEndpoint(uart);
  // One module for the link's life: what its MCU queued is still there when a pulled adapter is back.
  let module: EmulatedModule | undefined;
  return retryingLink({
    module: id,
    kind: "emulated",
    clock,
    random,
    async open(uplink, signal) {
      const endpoint = await openDeviceEndpoint(uart, { signal });
      module ??= new EmulatedModule({ id, txQueue, rxQueue, clock, uplink });
      const opened = module;
      endpoint.onConnection((duplex) => void attachUart(opened, duplex));
      return {
        endpoint: endpoint.address,
        lost: endpoint.lost,
        deliver: async (message) => opened.deliver(message),
        close: () => endpoint.close(),
      };
    },
  });
}
