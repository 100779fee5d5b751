/** An emulated sakura.io module, and an MQTT endpoint that refuses as AWS IoT Core does. */
export * from "./aws-iot/index.ts";
export {
  type Behaviour,
  type Behaviours,
  type ModuleContext,
  type ModuleEvent,
  type Override,
  Refused,
  refuse,
} from "./behaviour.ts";
export { attachBusPirate, type BusPirateEvent, type BusPirateOptions } from "./bus/bus-pirate.ts";
export { attachI2c, type I2cEvent, type I2cOptions, type I2cTarget } from "./bus/i2c.ts";
export { openPty, type PtyEndpoint } from "./bus/pty.ts";
export { attachSpi, type SpiEvent, type SpiOptions, type SpiTarget } from "./bus/spi.ts";
export { listenTcp, type TcpEndpoint } from "./bus/tcp.ts";
export { attachUart, type UartEvent } from "./bus/uart.ts";
export { realClock, VirtualClock } from "./clock.ts";
export { type FaultSpec, noFaults, parseFaults } from "./faults.ts";
export { type FileSource, filesInDirectory, filesInMemory, type StoredFile } from "./files.ts";
export type { FrameAnswerer, TimedAnswer, TimedNoise } from "./frame-answerer.ts";
export { EmulatedModule, type FrameListener } from "./module.ts";
export { type ReplayEvent, ReplayedModule, type ReplayOptions, replayRecording } from "./replay/module.ts";
export type { EmulatedModuleOptions, ModuleState, UpdatePlan } from "./state.ts";
export { MessageLog, uplinkTo } from "./uplink.ts";
