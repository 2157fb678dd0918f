/**
 * A stand-in for `@std/testing/bdd`, for machines that cannot reach JSR: the runner of `node:test`
 * under the names that `@std/testing` uses.
 *
 * @module
 */
export {
  after,
  after as afterAll,
  afterEach,
  before,
  before as beforeAll,
  beforeEach,
  describe,
  it,
  test,
} from "node:test";
