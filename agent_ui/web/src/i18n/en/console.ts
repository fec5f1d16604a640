export default {
  title: 'Agent console',
  left: 'My work and the queues',
  middle: 'Conversation',
  right: 'Ticket',
  done: 'Done: {what}',
  search: { label: 'Find tickets', placeholder: 'Number, telephone or words', none: 'Nothing found', found: '{count} found' },
  queue: {
    mine: 'Mine', emergency: 'Urgent', chats: 'Chats', received: 'New', dispatch: 'Dispatch', info: 'Waiting', returns: 'Returns',
    review: 'Review', followUp: 'Follow-up', supervised: 'Supervised', alarms: 'Alarms', callbacks: 'Callbacks', found: 'Found',
    empty: 'No tickets here', loading: 'Loading…', person: 'needs a person', label: '{name}, {count}',
  },
  ring: {
    heading: 'Ringing', chat: 'Chat', call: 'Call', take: 'Take', given: 'Chat given to you', open: 'Open', waited: 'waiting {time}', none: 'No calls or chats are waiting',
  },
  alarm: { one: 'Not acknowledged by 110: {title}', more: 'and {count} more', go: 'See to it' },
  presence: {
    label: 'My state', since: 'for {time}', wrapUp: 'Wrap-up {time}', finish: 'End wrap-up', notReady: 'Not ready: {reason}',
    putBack: 'The line was broken for too long and you were signed out; you are back: {state}', signedOut: 'You were signed out and get no more calls; choose your state to go on',
  },
  callback: {
    owed: '{count} callbacks', heading: 'Callbacks owed', take: 'Take the next', dial: 'Dial', giveBack: 'Give back', late: 'late', due: 'first try by {time}',
    missed: 'missed at {time}', tries: '{count} tries', record: 'How it went', none: 'No callbacks are owed', mine: 'Mine', note: 'Note', save: 'Record',
    nothing: 'No callback can be taken now',
  },
  followUp: { next: 'Take the next follow-up', none: 'No follow-up is due now' },
  talk: {
    none: 'Choose a ticket on the left, or press N for a call', conversation: 'Conversation', history: 'History', related: 'Same citizen', citizen: 'Citizen', us: 'Centre', note: 'Note',
    relatedNone: 'No other tickets', attachments: 'Files', loading: 'Opening…', evidence: 'Yellow: words behind the category; red: words behind the urgency',
    parent: 'Merged into {number}', children: '{count} tickets merged into this',
  },
  others: { here: '{names} has this ticket open too', news: '{name} just now: {what}', seen: 'Seen, go on', frozen: 'It has changed: check before you send' },
  write: {
    message: 'To the citizen', note: 'Note', ask: 'Ask for more', answer: 'Answer', placeholder: { message: 'Write to the citizen…', note: 'Only staff will see this…', ask: 'What is missing?', answer: 'Answer the citizen; the follow-up comes next…' },
    send: 'Send', kept: 'Draft kept', label: 'Text',
  },
  ticket: {
    claim: 'Claim', release: 'Release', accept: 'Accept', with: 'with {name}', unclaimed: 'nobody has it', created: 'received {time}', clock: 'Time limit', due: 'due {time}', copy: 'Copy the number', copied: 'Copied',
  },
  judge: {
    heading: 'Triage', category: 'Category', none: 'Not decided', confidence: '{percent} sure', confirmed: 'by a person', alternatives: 'Or', choose: 'Another category…', kind: 'Kind', town: 'Town', noTown: 'Unknown',
    priority: 'Priority', verdict: 'Urgency', lower: 'Lower', lowerWhy: 'Why it is less urgent (needed; kept with the ticket)', words: 'Because of', person: 'Not sure: please decide', title: 'Title', dangerWords: 'Danger', noWords: 'No words to point at', nuisance: 'The contact is marked as malicious nuisance: last in line, for a person to judge',
    labels: 'Sensitive labels',
    confidential: 'The citizen asks for confidentiality (the unit does not see who it is)',
  },
  facts: { open: 'Add particulars', name: 'Name', phone: 'Telephone', company: 'Company', id_document: 'Identity document', happened_at: 'When it happened', about: 'Whom it concerns', grid: 'Grid', hint: 'Only what is new or wrong: what is left empty stays as it is. Kept with the ticket.', save: 'Save' },
  mark: {
    category: 'Speaks for “{what}”', danger: 'Danger: {what}', model: 'Taken for urgent by the model', unheard: 'A voice message nobody has heard: it may be urgent',
    of: {
      violence: 'violence', medical: 'injury or illness', trapped: 'somebody trapped', suicide: 'suicide', fire: 'fire', missing: 'somebody missing', traffic: 'traffic accident', held: 'somebody held', crowd: 'crowd',
      fraud: 'fraud', gas: 'gas', electric: 'electric shock',
    },
  },
  unit: {
    heading: 'Department', lead: 'Lead', assisting: 'Assisting', reasons: 'Why', sure: 'by the directory', unsure: 'please decide', dispatch: 'Dispatch', none: 'The directory names nobody: choose', choose: 'Choose the lead', chooseAssisting: 'Choose who assists', version: 'Directory {version}',
    now: 'With {lead}',
  },
  police: {
    button: '110', heading: 'Hand off to 110', services: 'To', reason: 'What is going on', push: 'Push the incident', transfer: 'Transfer the call', conference: 'Three-way call', sent: 'Pushed to {services}, not acknowledged for {time}', acknowledged: '110 has it as {incident}',
    returned: 'Returned by 110', confirm: 'Enter pushes it', confirmCall: 'F9 again: three-way call',
  },
  similar: { heading: 'Similar tickets', none: 'No similar open tickets', merge: 'Merge', dismiss: 'Not the same', mergeInto: 'Merge this into {number}', people: '{count} merged' },
  knowledge: { heading: 'Knowledge', none: 'No article fits', insert: 'Quote in the answer', source: 'Source: {source}', back: 'Back' },
  commands: { heading: 'More', search: 'Type what to do', submit: 'Do it', none: 'Nothing can be done', sure: '“{what}” on ticket {number}?', open: 'Do' },
  phone: {
    open: 'New call', heading: 'Ticket from a call', text: 'What it is about', name: 'Name', phone: 'Telephone', fromCall: 'The caller’s number is filled in', older: 'This draft is not of the call of now; its ticket will stand by itself.', ended: 'The ticket will belong to the earlier call.', loose: 'Not of that call', anew: 'Begin anew for this call', town: 'Town', address: 'Address', company: 'Company', id_document: 'Identity document', grid: 'Grid', happened_at: 'When it happened', about: 'Whom it concerns', confidential: 'Confidential', submit: 'Make the ticket', made: 'Ticket {number} made',
  },
  handOver: {
    heading: 'Hand the call over', way: 'How', transfer: 'Transfer', consult: 'Ask first', conference: 'Three-way call', queues: 'Skill groups', colleagues: 'Free colleagues', desks: 'Emergency services', nobody: 'Nobody is free', number: 'Another number',
    hint: { transfer: 'You leave as soon as they answer; in a skill group the caller waits as one who called when they did.', consult: 'The citizen hears music while you ask; then hand over or go back.', conference: 'All three talk once they answer.' },
  },
  call: {
    heading: 'Call', ringing: 'ringing', talking: 'talking', greeting: 'greeting', waiting: 'waiting', over: 'over', hold: 'Hold', resume: 'Resume', hangUp: 'Hang up', transcript: 'Transcript', nothing: 'Nothing heard yet', citizen: 'Citizen', agent: 'Agent', party: 'Third party', supervisor: 'Supervisor',
    open: '{count} open', history: '{count} earlier', marked: 'Watched: {why}', withheld: 'Number withheld', earlier: 'called {count} times, last {time}', firstTime: 'First call',
    held: 'on hold', pickUp: 'Answer on your telephone', handOver: 'Hand over', register: 'Make a ticket', there: 'is in the call', handTo: 'Hand over to {name}', leave: 'Leave, they go on', drop: 'Drop the third', stopRinging: 'Stop ringing', supervised: 'Supervisor {name} has joined', alarm: 'Danger was heard: {words}', asked: { heading: 'A colleague’s call', consult: '{name} asks you', conference: '{name} brings you in', transfer: '{name} hands a call to you' },
    silent: 'Not answered: {desks}', redialling: 'Not answered: {desks}, ringing again', silentElsewhere: '{desks} did not answer in the call of {name}', use: 'Use the transcript', suggestion: 'Seems to be: {what}',
  },
  keys: {
    group: { move: 'Moving', ticket: 'Ticket', write: 'Writing', desk: 'Desk', call: 'Call' },
    hold: 'Hold or resume', hangUp: 'Hang up', handOver: 'Transfer, ask, three-way call',
    next: 'Next', previous: 'Previous', open: 'Open / to the list', queue: 'Queue 1–9, 0, -', search: 'Find', close: 'Close the ticket', claim: 'Claim or release', accept: 'Accept', dispatch: 'Dispatch', alternative: 'Take alternative', choose: 'Choose a category', unit: 'Choose a department',
    merge: 'Merge with the likeliest', police: '110', commands: 'More', message: 'To the citizen', note: 'Note', ask: 'Ask for more', answer: 'Answer', send: 'Send', phone: 'New call', ready: 'Available / end wrap-up', take: 'Take who waits', given: 'Open the chat given to you', callback: 'Take the next callback', followUp: 'Take the next follow-up',
    knowledge: 'First article', alarms: 'Alarms', tabs: 'Conversation, history, same citizen', seen: 'I have seen the news', leaveText: 'Leave the text',
  },
}
