/** The user of clients in tests that have no ACL. */
import { Acl, AclCatalog, type User } from '../acl/index.ts';
import { defaultSettings } from '../config/index.ts';

export const TEST_USER: User = new Acl({
  catalog: new AclCatalog([]),
  settings: defaultSettings(),
}).defaultUser;
