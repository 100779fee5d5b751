/** Link `emulated`: the bridge is the module, and an MCU is on the wire. Where the bridge and the emulator meet. */
import { EmulatedModule } from "../../emulator/module.ts";
import type { Link } from "../bridge/link.ts";
import { retryingLink } from "../bridge/links/retrying.ts";
import type { LinkContext } from "../bridge/start.ts";
import { parseDeviceEndpoint } from "../config/device-endpoint.ts";
import type { EmulatedModuleConfig } from "../config/schema.ts";
import { openModuleLines } from "./module-lines.ts";

/** @throws SakuraError INVALID_ARGUMENT for an endpoint that is none */
export function emulatedLink(config: EmulatedModuleConfig, { clock, random }: LinkContext): Link {
  const { id, tx_queue: txQueue, rx_queue: rxQueue } = config;
  for (const endpoint of [config.uart, config.bus_pirate]) if (endpoint !== undefined) parseDeviceEndpoint(endpoint);
  // One module for the link's life: what its MCU queued is still there when a pulled adapter is back.
  let module: EmulatedModule | undefined;
  return retryingLink({
    module: id,
    kind: "emulated",
    clock,
    random,
    async open(uplink, signal) {
      const lines = await openModuleLines(config, { signal });
      module ??= new EmulatedModule({ id, txQueue, rxQueue, clock, uplink });
      const opened = module;
      lines.attach(opened);
      return {
        endpoint: Object.values(lines.addresses).join(", "),
        lost: lines.lost,
        deliver: async (message) => opened.deliver(message),
        close: () => lines.close(),
      };
    },
  });
}
