/**
 * Defines the keychain of an operating system.
 *
 * @module
 */

/** A keychain of the operating system, which stores secrets encrypted until the user logs in. */
export interface Keychain {
  /** Its name for users. */
  title: string;
  /**
   * Reads a key; `undefined` if there is none of that name.
   *
   * @throws {ConfigurationError} if the keychain is locked or unavailable
   */
  read(name: string): string | undefined;
  /**
   * Stores a key, replacing an older one of that name.
   *
   * @throws {ConfigurationError} if the keychain is locked or unavailable
   */
  write(name: string, key: string): void;
  /**
   * Removes a key, if there is one of that name.
   *
   * @throws {ConfigurationError} if the keychain is locked or unavailable
   */
  remove(name: string): void;
}
