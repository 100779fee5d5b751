/** What the module says of itself (§2, 0x01–0x10 and 0xA0–0xA2). */
import type { Behaviours } from "../behaviour.ts";

type StatusCommands =
  | "GET_CONNECTION_STATUS"
  | "GET_SIGNAL_QUALITY"
  | "GET_DATETIME"
  | "ECHO_BACK"
  | "READ_ADC"
  | "GET_PRODUCT_ID"
  | "GET_UNIQUE_ID"
  | "GET_FIRMWARE_VERSION";

export const statusBehaviours: Pick<Behaviours, StatusCommands> = {
  GET_CONNECTION_STATUS: (module) => ({ online: module.isOnline(), lastError: module.state.lastError }),
  GET_SIGNAL_QUALITY: ({ state }) => (state.powerSave === "rf-off" ? 0 : state.signal),
  GET_DATETIME: ({ clock }) => BigInt(Math.floor(clock.now())),
  ECHO_BACK: (_module, bytes) => bytes,
  READ_ADC: ({ state }, pin) => state.adc.get(pin) ?? 0,
  GET_PRODUCT_ID: ({ state }) => state.product,
  GET_UNIQUE_ID: ({ state }) => state.uniqueId,
  GET_FIRMWARE_VERSION: ({ state }) => state.firmware,
};
