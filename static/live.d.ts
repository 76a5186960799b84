/** What follows of a file that is neither JSON nor text. */
export interface FileInfo {
  /** The path of the file below the root, not percent-encoded. */
  path: string;
  /** The hash of its content. */
  version: string;
  /** Bytes. */
  size: number;
  /** The media type. */
  type: string;
}

/**
 * Calls `show` with the contents of a file, now and after every save: the document of a JSON file, the text of a text
 * file, a `FileInfo` of any other.
 *
 * Of a JSON file, a fragment may name one value with a JSON Pointer (RFC 6901): `/prices.json#/btc/usd`. While the file
 * is broken or gone, the last good value stays.
 *
 * @returns a function that ends it
 * @throws TypeError if `url` is of another origin, or its fragment is no JSON Pointer
 */
export function follow<T = any>(url: string, show: (value: T) => void): () => void;

/**
 * The same for `for await`. A loop that is slower than the saves skips some values and ends on the last; leaving it ends
 * the following.
 *
 * @throws TypeError if `url` is of another origin, or its fragment is no JSON Pointer
 */
export function follow<T = any>(url: string): AsyncIterable<T>;
