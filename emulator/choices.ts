/**
 * What no public source says and this project decided (module-protocol, `[choice]`). All of it stands here, so that a
 * person with the hardware can correct one line.
 */
export const choices = {
  /** Entries each way; the depth is not published. Settable, 1–255. */
  queueCapacity: 32,
  /** A send takes this long, because one published driver waits to see TX_STAT 1. Settable; 0 for benches. */
  sendTimeMs: 100,
  /** SOFTWARE_RESET to online again. Settable. */
  bootTimeMs: 2000,
  /** UNLOCK holds this long. */
  unlockMs: 10_000,
  /** START_FILE_DOWNLOAD to metadata; some drivers ask once after 1 s and give up, so well under that. Settable. */
  fileDelayMs: 200,
  /** UPDATE_FIRMWARE to its result. Settable. */
  updateTimeMs: 5000,
  /** The answer to metadata that has not arrived yet. */
  metadataNotThere: "BUSY",
  /** START_FILE_DOWNLOAD while one is under way. */
  downloadUnderWay: "RUNTIME",
  /** CANCEL_FILE_DOWNLOAD, GET_FILE_METADATA and GET_FILE_DATA when no download was started. */
  noDownload: "RUNTIME",
  /** TX_SEND or TX_SENDIMMED while one of the same kind is under way; UPDATE_FIRMWARE during an update. */
  underWay: "BUSY",
  /**
   * From the request's last byte to the answer, on I2C and SPI. LTE modules were driven for a year with no wait at all
   * (§4). Settable.
   */
  busReadyMs: 0,
  /** What is clocked out before the answer is ready, and behind its end. §4 and §5 say so of the latter and of SPI. */
  busFiller: 0x00,
  /** Bytes written to I2C behind a whole frame: its command has run with its parity byte, and its answer stands. */
  i2cSurplus: "ignored",
  /** A module that is silent (an update runs) does not acknowledge its I2C address. */
  i2cSilent: "not acknowledged",
} as const;

/** The ids that an emulated module has unless told otherwise: the platform's, and the one printed on the module. */
export const defaultIdentity = {
  id: "u0123456789ab",
  uniqueId: "16B0100260",
  /** In the published form, with a build that is nobody's. */
  firmware: "v1.4.4-000000-0000000",
  product: 2,
} as const;
