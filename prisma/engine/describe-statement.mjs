/** @typedef {import('pg').Connection} Connection */
/** @typedef {import('pg').FieldDef} FieldDef */

/**
 * @typedef {object} Description
 * @property {number[]} parameterTypes oids
 * @property {FieldDef[]} columns empty when the statement returns no rows
 */

/**
 * Asks PostgreSQL what a statement takes and gives, without running it.
 * @param {import('pg').Client} client
 * @param {string} text
 * @returns {Promise<Description>}
 */
export function describeStatement(client, text) {
  return new Promise((resolve, reject) => {
    client.query(new DescribeQuery(text, resolve, reject));
  });
}

/**
 * Speaks the extended protocol as far as Describe; node-postgres's own queries always go on to
 * Execute.
 */
class DescribeQuery {
  /** @type {Description} */
  #description = { parameterTypes: [], columns: [] };
  #text;
  #resolve;
  #reject;

  /**
   * @param {string} text
   * @param {(description: Description) => void} resolve
   * @param {(error: Error) => void} reject
   */
  constructor(text, resolve, reject) {
    this.#text = text;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** @param {Connection} connection */
  submit(connection) {
    connection.once('parameterDescription', ({ dataTypeIDs }) => {
      this.#description.parameterTypes = dataTypeIDs;
    });
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  /** @param {{ fields: FieldDef[] }} message */
  handleRowDescription({ fields }) {
    this.#description.columns = fields;
  }

  /** @param {Error} error */
  handleError(error) {
    this.#reject(error);
  }

  handleReadyForQuery() {
    this.#resolve(this.#description);
  }
}
