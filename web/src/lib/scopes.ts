import { t } from '../i18n/index.ts';

/** What may be allowed, in the order in which it is shown, and what it means for people. */
export const SCOPES: Record<string, string> = {
  'org:read': t('See the organization'),
  'org:write': t('Change the settings of the organization'),
  'org:admin': t('Do everything with the organization'),
  'org:integrations': t('Set up integrations'),
  'org:ci': t('Make releases and upload files from builds'),
  'member:read': t('See members'),
  'member:write': t('Invite members'),
  'member:admin': t('Invite, change and remove members'),
  'team:read': t('See teams'),
  'team:write': t('Make and change teams'),
  'team:admin': t('Make, change and delete teams'),
  'project:read': t('See projects'),
  'project:write': t('Make and change projects'),
  'project:admin': t('Make, change and delete projects'),
  'project:releases': t('Make and change releases'),
  'event:read': t('See issues and events'),
  'event:write': t('Work on issues'),
  'event:admin': t('Work on issues and delete them'),
  'alerts:read': t('See alerts'),
  'alerts:write': t('Change alerts'),
};
