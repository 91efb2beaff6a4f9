/**
 * A list whose nodes are removed in any order, in constant time.
 *
 * Unlike a `Set`, it lets go of what is removed. Engines keep the deleted entries of a set until they rebuild its
 * table, and in JavaScriptCore a long-lived set of short-lived objects costs more than the rest of the work for them:
 * each outlives a garbage collection or two.
 *
 * @module
 */

/** A node of a {@link LinkedList}; it is in one list at a time. */
export class ListNode {
  /** The list that it is in. */
  list: LinkedList<ListNode> | undefined = undefined;
  previous: ListNode | undefined = undefined;
  next: ListNode | undefined = undefined;

  /** Removes the node from its list, if it is in one. */
  remove(): void {
    this.list?.unlink(this);
  }
}

/** A list of nodes, in the order in which they were appended. */
export class LinkedList<N extends ListNode> {
  first: N | undefined = undefined;
  #last: N | undefined = undefined;
  #size = 0;

  /** The number of nodes. */
  get size(): number {
    return this.#size;
  }

  /** The nodes, in order. */
  toArray(): N[] {
    const nodes: N[] = [];
    let node: ListNode | undefined = this.first;
    for (; node !== undefined; node = node.next) nodes.push(node as N);
    return nodes;
  }

  /** Appends a node, which is removed from the list that it was in. */
  append(node: N): void {
    node.remove();
    node.list = this as unknown as LinkedList<ListNode>;
    node.previous = this.#last;
    if (this.#last === undefined) this.first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#size++;
  }

  /** Unlinks a node of this list. */
  unlink(node: N): void {
    const { previous, next } = node;
    if (previous === undefined) this.first = next as N | undefined;
    else previous.next = next;
    if (next === undefined) this.#last = previous as N | undefined;
    else next.previous = previous;
    // A removed node that still referred to others would keep them in memory.
    node.list = node.previous = node.next = undefined;
    this.#size--;
  }
}
