/** The side of the MCU and of the cloud: drives a sakura.io module, and bridges modules to AWS IoT. */
export {
  type BusPirateI2cOptions,
  type BusPirateSpiOptions,
  openBusPirateI2c,
  openBusPirateSpi,
} from "./adapter/bus-pirate.ts";
export { type LinuxI2cOptions, openLinuxI2c } from "./adapter/linux-i2c.ts";
export { type LinuxSpiOptions, openLinuxSpi } from "./adapter/linux-spi.ts";
export { type FindUsbPortOptions, findUsbPort, type ListPorts } from "./adapter/serial-place.ts";
export { listSerialPorts, openSerialPort, type SerialPortInfo, type SerialPortOptions } from "./adapter/serial-port.ts";
export { connectTcp, type TcpOptions } from "./adapter/tcp.ts";
export * from "./bridge/index.ts";
export type { Bus, BusCallOptions, I2cBus, SpiBus, SpiReading } from "./bus.ts";
export { systemClock } from "./clock.ts";
export { bridgeFileJsonSchema } from "./config/json-schema.ts";
export { type ConfigSource, loadConfig, parseConfig } from "./config/load.ts";
export type { BridgeConfig, ModuleConfig, ServiceConfig } from "./config/schema.ts";
export type { PortState } from "./connection.ts";
export { BRIDGE_CHECKS, type ExamineBridgeOptions, examineBridge } from "./doctor/examine-bridge.ts";
export {
  type DoctorProgress,
  type ExaminePortOptions,
  examinePort,
  PORT_CHECKS,
} from "./doctor/examine-port.ts";
export { type Diagnosis, diagnose, type Finding, type FindingFacts, type FindingVerdict } from "./doctor/finding.ts";
export type { LineOpener } from "./doctor/line-check.ts";
export { SERVICE_CHECKS } from "./doctor/service-findings.ts";
export type { TxEntry } from "./enqueue.ts";
export { type CsvOptions, type CsvRounds, parseCsvRounds, readCsvRounds } from "./feed/csv.ts";
export { type FeedEvent, type FeedOptions, type FeedSummary, feed } from "./feed/feed.ts";
export type { FeedRound, FeedSource } from "./feed/round.ts";
export { type Wave, type WaveOptions, waveRounds } from "./feed/wave-rounds.ts";
export { parseWave } from "./feed/wave-text.ts";
export type { FileDownload, FileDownloadOptions, FileProgress } from "./file-download.ts";
export type { FileMetadata } from "./file-link.ts";
export type { FirmwareUpdate, FirmwareUpdateOptions, FirmwareUpdateProgress } from "./firmware-update.ts";
export { type MissingFeature, missingFeatures } from "./firmware-version.ts";
export type { CommandOptions } from "./job.ts";
export { type ModuleOptions, type OpenOptions, type RawAnswer, SakuraModule } from "./module.ts";
export type { MethodName, MethodsOf, ModuleMethods } from "./module-methods.ts";
export type { ModuleQueues, ModuleStatus } from "./module-status.ts";
export type { ReceivedValue, ReceiveOptions } from "./receive.ts";
export { type FrameSource, portOfRecording, type RecordOptions, recordSession } from "./recording.ts";
export type { RestartOptions, RestartProgress } from "./restart.ts";
export type { SendOptions } from "./send.ts";
export type { SendValuesOptions } from "./send-values.ts";
export type { BusOptions } from "./transport/bus-exchange.ts";
export type { ExchangeOptions, FrameEvent, FrameExchange, StrayEvent } from "./transport/exchange.ts";
export { i2cExchange } from "./transport/i2c.ts";
export { spiExchange } from "./transport/spi.ts";
export { UartExchange, type UartOptions } from "./transport/uart.ts";
export {
  type BusPirateUri,
  DEFAULT_BAUD_RATE,
  type LinuxI2cUri,
  type LinuxSpiUri,
  type PortUri,
  parsePortUri,
  portUriText,
  type TcpUri,
  type UartUri,
} from "./uri.ts";
export type { SerialPlace, UsbName } from "./usb-name.ts";
