// The templates of Onezone for new tokens. Every template proposes an end.

const rest = { type: 'interface', interface: 'rest' };
const oneclient = { type: 'interface', interface: 'oneclient' };
const service = (...whitelist) => ({ type: 'service', whitelist });

const access = { accessToken: {} };
const invite = (inviteType) => ({ inviteToken: { inviteType } });

// templates are the templates in the order of the page. days is the proposed
// lifetime. What the user has to enter is left empty.
export const templates = [
  { id: 'onezone-rest', title: 'Onezone REST', text: 'For scripts that use the API of Onezone.', type: access, days: 30, caveats: [service('ozw-onezone'), rest] },
  { id: 'oneprovider-rest', title: 'Oneprovider REST', text: 'For scripts that use the API of any Oneprovider, such as file operations.', type: access, days: 30, caveats: [service('opw-*'), rest] },
  { id: 'oneclient', title: 'Oneclient', text: 'To mount your spaces on a computer.', type: access, days: 90, caveats: [oneclient] },
  { id: 'oneclient-in-oneprovider', title: 'Oneclient at one Oneprovider', text: 'To mount spaces through one Oneprovider that you name.', type: access, days: 90, caveats: [oneclient, service('opw-')] },
  { id: 'onepanel-rest', title: 'Onepanel REST', text: 'For scripts that administer a cluster.', type: access, days: 7, caveats: [service('opp-*'), rest] },
  { id: 'read-only', title: 'Read-only data', text: 'To let somebody read your files and change none.', type: access, days: 7, caveats: [{ type: 'data.readonly' }] },
  { id: 'identity', title: 'Identity', text: 'Proves to another service who you are, and authorizes nothing.', type: { identityToken: {} }, days: 1, caveats: [] },
  { id: 'invite-user-to-space', title: 'Invite a user to a space', text: 'Whoever you give it to can join the space.', type: invite('userJoinSpace'), days: 7, usageLimit: 1, caveats: [] },
  { id: 'invite-user-to-group', title: 'Invite a user to a group', text: 'Whoever you give it to can join the group.', type: invite('userJoinGroup'), days: 7, usageLimit: 1, caveats: [] },
  { id: 'support-space', title: 'Support for a space', text: 'Lets an administrator support your space with storage.', type: invite('supportSpace'), days: 7, usageLimit: 1, caveats: [] },
  { id: 'register-oneprovider', title: 'Register a Oneprovider', text: 'Lets an administrator register a new Oneprovider.', type: invite('registerOneprovider'), days: 7, usageLimit: 1, caveats: [] },
  { id: 'custom', title: 'From scratch', text: 'Choose the type and every caveat yourself.', type: access, days: 30, caveats: [] },
];
