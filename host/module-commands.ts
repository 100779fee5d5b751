/** The commands of the table as methods. */
import type { CommandName, RequestOf, ResponseOf } from "../protocol/commands.ts";
import type { CommandOptions } from "./job.ts";
import type { ModuleMethods } from "./module-methods.ts";

/**
 * One method for each command. All of them fail as `CommandQueue.run` says; a refusal is MODULE_REFUSED with
 * context.status.
 */
// biome-ignore format: a command is a line
export abstract class ModuleCommands implements ModuleMethods {
  /** Any command of the table by its name. */
  abstract command<N extends CommandName>(name: N, request: RequestOf<N>, options?: CommandOptions): Promise<ResponseOf<N>>;

  /** Whether the module is online, and why it was last offline. */
  getConnectionStatus(options?: CommandOptions) { return this.command("GET_CONNECTION_STATUS", undefined, options); }
  /** Signal, 0 (out of service) to 5 (strongest). */
  getSignalQuality(options?: CommandOptions) { return this.command("GET_SIGNAL_QUALITY", undefined, options); }
  /** The platform's time: Unix ms. */
  getDatetime(options?: CommandOptions) { return this.command("GET_DATETIME", undefined, options); }
  /** Answers with the same bytes. */
  echoBack(bytes: RequestOf<"ECHO_BACK">, options?: CommandOptions) { return this.command("ECHO_BACK", bytes, options); }
  /** Reads an analogue pin (deprecated). */
  readAdc(pin: RequestOf<"READ_ADC">, options?: CommandOptions) { return this.command("READ_ADC", pin, options); }
  /** Puts a value in the TX queue. Its time is now, plus the offset: ms, 0 or negative. RUNTIME: the queue is full. */
  txEnqueue(value: RequestOf<"TX_ENQUEUE">, options?: CommandOptions) { return this.command("TX_ENQUEUE", value, options); }
  /** Sends 1 to 16 values at once, past the queue. `sendImmediately` also waits for its end. */
  txSendimmed(request: RequestOf<"TX_SENDIMMED">, options?: CommandOptions) { return this.command("TX_SENDIMMED", request, options); }
  /** Free and taken places of the TX queue. */
  txLength(options?: CommandOptions) { return this.command("TX_LENGTH", undefined, options); }
  /** Empties the TX queue. */
  txClear(options?: CommandOptions) { return this.command("TX_CLEAR", undefined, options); }
  /** Sends what is in the TX queue. `flush` also waits for its end. */
  txSend(options?: CommandOptions) { return this.command("TX_SEND", undefined, options); }
  /** How the last TX_SEND and the last TX_SENDIMMED went. */
  txStat(options?: CommandOptions) { return this.command("TX_STAT", undefined, options); }
  /** Takes the oldest value from the RX queue. RUNTIME: it is empty. */
  rxDequeue(options?: CommandOptions) { return this.command("RX_DEQUEUE", undefined, options); }
  /** Reads the oldest value of the RX queue and leaves it there. RUNTIME: it is empty. */
  rxPeek(options?: CommandOptions) { return this.command("RX_PEEK", undefined, options); }
  /** Free and taken places of the RX queue. */
  rxLength(options?: CommandOptions) { return this.command("RX_LENGTH", undefined, options); }
  /** Empties the RX queue. */
  rxClear(options?: CommandOptions) { return this.command("RX_CLEAR", undefined, options); }
  /** Starts to download a file, 1 to 5. */
  startFileDownload(file: RequestOf<"START_FILE_DOWNLOAD">, options?: CommandOptions) { return this.command("START_FILE_DOWNLOAD", file, options); }
  /** Size, time and CRC-32 of the file under way. */
  getFileMetadata(options?: CommandOptions) { return this.command("GET_FILE_METADATA", undefined, options); }
  /** State of the download, and the bytes handed out so far. */
  getFileDownloadStatus(options?: CommandOptions) { return this.command("GET_FILE_DOWNLOAD_STATUS", undefined, options); }
  /** Ends the download. */
  cancelFileDownload(options?: CommandOptions) { return this.command("CANCEL_FILE_DOWNLOAD", undefined, options); }
  /** Takes the next part of the file, at most so many bytes (1 to 255); 0 bytes when none is there yet. */
  getFileData(maxBytes: RequestOf<"GET_FILE_DATA">, options?: CommandOptions) { return this.command("GET_FILE_DATA", maxBytes, options); }
  /** 1 SCM-LTE-BETA, 2 SCM-LTE-01, 3 SCM-LTE-01 Rev.B. */
  getProductId(options?: CommandOptions) { return this.command("GET_PRODUCT_ID", undefined, options); }
  /** The id printed on the module. */
  getUniqueId(options?: CommandOptions) { return this.command("GET_UNIQUE_ID", undefined, options); }
  /** The module's firmware. */
  getFirmwareVersion(options?: CommandOptions) { return this.command("GET_FIRMWARE_VERSION", undefined, options); }
  /** Allows one UPDATE_FIRMWARE or SOFTWARE_RESET. */
  unlock(options?: CommandOptions) { return this.command("UNLOCK", undefined, options); }
  /** Starts a firmware update; needs UNLOCK. */
  updateFirmware(options?: CommandOptions) { return this.command("UPDATE_FIRMWARE", undefined, options); }
  /** Whether an update runs, and how the last one ended. */
  getUpdateFirmwareStatus(options?: CommandOptions) { return this.command("GET_UPDATE_FIRMWARE_STATUS", undefined, options); }
  /** Restarts the module; needs UNLOCK. */
  softwareReset(options?: CommandOptions) { return this.command("SOFTWARE_RESET", undefined, options); }
  /** 0 disabled, 1 auto sleep, 2 RF off (firmware 1.4.0 and later). */
  setPowerSaveMode(mode: RequestOf<"SET_POWER_SAVE_MODE">, options?: CommandOptions) { return this.command("SET_POWER_SAVE_MODE", mode, options); }
  /** The power-save mode (firmware 1.4.0 and later). */
  getPowerSaveMode(options?: CommandOptions) { return this.command("GET_POWER_SAVE_MODE", undefined, options); }
}
