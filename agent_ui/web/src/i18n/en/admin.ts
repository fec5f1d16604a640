export default {
  title: 'Administration',
  save: 'Save',
  more: 'Show more',
  count: '{n} in all',
  area: {
    people: 'People and roles', directory: 'Directory', categories: 'Categories', queues: 'Queues and skills', thresholds: 'Thresholds', calendar: 'Calendar',
    knowledge: 'Knowledge', models: 'Models', security: 'Security policy', access: 'Permissions', audit: 'Audit',
  },
  role: {
    agent: 'Agent', supervisor: 'Supervisor', department: 'Department', system_admin: 'System administrator', security_admin: 'Security administrator', audit_admin: 'Audit administrator',
  },
  standing: { proposed: 'To be granted', locked: 'Locked', failures: 'Locked by failures', active: 'In order' },
  people: {
    search: 'Name, log-in or unit', allRoles: 'All roles', add: 'New person', name: 'Name', role: 'Role', standing: 'Standing', factor: 'Second factor', seen: 'Last log-in',
    noteSystem: 'The system administrator proposes an account; it can log in once a security administrator has granted its role.',
    noteSecurity: 'The security administrator grants roles, resets passwords, locks accounts and ends sessions, never their own. Every step is audited.',
    sessions: '{n} sessions', bound: 'bound', unbound: 'not bound', never: 'never, made {day}', choose: 'Choose somebody',
    login: 'Log-in name', shown: 'Shown name', department: 'Department', propose: 'Propose', proposed: 'Proposed; a security administrator grants it',
  },
  person: {
    reason: 'Reason (audited)', reasonNeeded: 'A reason is needed', granted: 'Granted', changed: 'Saved', reset: 'Password reset', until: 'until {time}',
    passwordSince: 'Password since', mustChange: 'must be changed', own: 'This is your own account; another security administrator changes it.', grantNew: 'Grant the role and let them in', grantOther: 'Change the role (their sessions end)',
    grant: 'Grant', lock: 'Lock account', unlock: 'Unlock account', lift: 'Lift the lock by failures', resetPassword: 'Reset password', resetFactor: 'Reset second factor',
    given: 'Shown this once; must be changed at the first log-in:', phone: 'Telephone', skills: 'Skills', skillsHint: 'A telephone is needed; skills as general=1, enterprise=3, from 1 (best) to 5', waits: 'Waits for a security administrator.',
    phoneExample: 'PJSIP/101', skillsExample: 'general=1, enterprise=3',
    sessions: 'Sessions', noSessions: 'Not logged in', endAll: 'End all sessions', ended: '{n} sessions ended; their consoles are disconnected',
  },
  figures: {
    note: 'Clocks and windows are set in city.toml, rates in hotline.toml; thresholds of triage come from training.',
    noteSecurity: 'Set in hotline.toml; a restart puts them in force.',
  },
  categories: { search: 'Code, category or unit', code: 'Code', l1: 'First level', l2: 'Second level', leads: 'Lead', nobody: 'nobody' },
  access: { search: 'Path', note: 'The service holds every request to this table; what is not in it is refused. The three administrators are apart, and none sees tickets.', what: 'What', door: 'Door', may: 'may' },
  door: { public: 'public', credential: 'system credential', own: 'own account', staff: 'staff', console: 'console' },
  audit: {
    records: 'Records', commands: 'On tickets', actor: 'Actor (role:name)', act: 'Act', subject: 'Subject', number: 'Ticket number', result: 'Result', all: 'All results', ok: 'ok',
    refused: 'Log-in failed', forbidden: 'Forbidden', find: 'Find', at: 'Time', who: 'Who', what: 'What', detail: 'Detail',
    size: '{rows} rows in {links} links; {waiting} to be linked', verify: 'Verify', whole: 'Whole, nothing was changed', unchecked: 'Not verified yet', broken: 'Records were changed:',
  },
  act: {
    login: 'Log-in', login_sso: 'Log-in by provider', logout: 'Log-out', person_propose: 'Proposed somebody', person_rename: 'Renamed', person_grant: 'Granted a role', person_lock: 'Locked',
    person_unlock: 'Unlocked', person_reset_password: 'Reset a password', person_reset_second_factor: 'Reset a second factor', person_end_sessions: 'Ended sessions',
    account_password: 'Changed password', account_second_factor: 'Bound a second factor', account_second_factor_removed: 'Unbound a second factor', account_recovery_codes: 'New recovery codes',
    calendar_set: 'Set the calendar', queues_set: 'Set queues', audit_read: 'Read the audit', audit_commands: 'Read commands', audit_verify: 'Verified the audit', audit_export: 'Exported the audit',
    ticket_unmask: 'Saw personal data', person_search: 'Looked somebody up',
  },
  calendar: {
    announced: 'announced', unknown: 'not announced yet', before: 'Year before', after: 'Year after', import: 'Import', saved: 'Saved; new clocks count by it', own: 'set here', month: 'Month {n}',
    note: 'Statutory holidays and make-up days; the system administrator sets them.', noteSet: 'Click a day to turn it; once saved, new clocks count by it. Present clocks stay.',
    holiday: 'Holiday', makeUp: 'Make-up working day', rest: 'Weekend', work: 'Working day', format: 'One day a line: date,off or work,name', example: '{year}-02-08,off,Spring Festival', take: 'Take', wrong: 'Lines {lines} are wrong',
  },
  models: {
    present: 'In force', previous: 'Before', shadow: 'Shadow', shadowTitle: 'Shadow comparison', noShadow: 'No shadow has judged yet. With shadow_dir set, another model judges beside the present one and decides nothing.',
    texts: 'Judged by both', same: 'Same category', sameVerdict: 'Same verdict', dispatched: 'Dispatched: present / shadow', alarms: 'Emergency only by: present / shadow', judged: 'Right of {n} decided by people: present / shadow', card: 'Model card',
  },
  directory: {
    import: 'Import a version', version: 'Version', from: 'In force from', rules: 'Rules', author: 'From', files: 'city files', changes: '{n} changes', diff: 'Differences', older: 'Compared with', choose: 'Choose what to compare with',
    same: 'Both are the same', andMore: '{n} more', withdraw: 'Withdraw', withdrawn: 'Withdrawn', sure: 'Withdraw version {version} before its day?', inForce: 'in force', future: 'to come', past: 'past',
    file: 'File (CSV or XLSX)', note: 'Note', preview: 'Show what changes', keep: 'Keep the version', made: 'The version is kept',
  },
  how: { added: 'Added', removed: 'Removed', changed: 'Changed' },
  cell: { lead: 'Lead', assisting: 'Assisting', town: 'Town', kind: 'Kind', l1: 'First level', l2: 'Second level', note: 'Note', basis: 'Basis', legal_basis: 'Legal basis', phone: 'Telephone' },
  queues: {
    note: 'From how many seconds on agents with which skill (1 best, 5 least) may answer; in force within a second of saving.', new: 'Name of a queue', add: 'Add', saved: 'In force', default: 'default', lines: 'Numbers {lines}',
    after: 'From second', seconds: 's on', skill: 'Skill', level: 'Least level', remove: 'Remove the step', step: '+ Another step', most: 'May wait at most', any: 'any', agents: 'Skills of agents', noAgents: 'No agent has a telephone yet',
  },
  knowledge: {
    write: 'Write an article', title: 'Title', review: 'Review on', changed: 'Changed', publish: 'Publish', reviewed: 'Reviewed', withdraw: 'Withdraw', choose: 'Choose an article', done: 'Saved', body: 'Text',
    keywords: 'Keywords', source: 'Source', draft: 'Keep as draft',
  },
  article: { all: 'All', published: 'Published', draft: 'Draft', withdrawn: 'Withdrawn', overdue: 'To review' },
}
