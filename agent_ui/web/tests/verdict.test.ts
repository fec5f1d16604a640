// An agent judges the urgency otherwise than triage: whom it calls, and why it is less.
import { mount } from '@vue/test-utils'
import { ElSelect } from 'element-plus'
import { beforeAll, describe, expect, it } from 'vitest'
import { computed, nextTick, ref } from 'vue'
import type { Command, Service, Ticket, Verdict } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import type { TicketDesk } from '../src/pages/console/useTicket'
import VerdictBox from '../src/pages/console/VerdictBox.vue'
import { reassessing } from '../src/pages/console/verdicts'

beforeAll(async () => {
  await startLanguage()
  await loadWords('console')
})

const ticket = (verdict: Verdict, services: Service[], found: Service[]): Ticket =>
  ({ number: 'DG1', verdict, services, triage: { services: found } } as unknown as Ticket)

describe('a raised verdict', () => {
  it.each([
    [['119', '120'], ['110'], ['119', '120']], [[], ['119', '120'], ['119', '120']], [[], [], ['110']],
  ] as [Service[], Service[], Service[]][])('calls whom the ticket names, else whom triage did, else 110: %o %o', (services, found, called) => {
    expect(reassessing(ticket('unclear', services, found), 'emergency')).toEqual({ type: 'reassess', verdict: 'emergency', services: called })
  })
  it('to unclear forgets nobody, and calls nobody whom no one has named', () => {
    expect(reassessing(ticket('non_emergency', [], ['120']), 'unclear')).toMatchObject({ services: ['120'] })
    expect(reassessing(ticket('non_emergency', [], []), 'unclear')).toMatchObject({ services: [] })
  })
})

describe('the list of verdicts', () => {
  function shown(now: Ticket) {
    const sent: Command[] = []
    const opened = ref({ ticket: now })
    const desk = { opened, number: computed(() => opened.value.ticket.number), busy: ref(false), allows: () => true,
      act: async (command: Command) => sent.push(command) > 0 } as unknown as TicketDesk
    const box = mount(VerdictBox, { props: { desk }, global: { plugins: [i18n] }, attachTo: document.body })
    const choose = async (next: Verdict): Promise<void> => {
      box.findComponent(ElSelect).vm.$emit('change', next)
      await nextTick()
    }
    return { box, choose, opened, sent }
  }
  it('raises at once', async () => {
    const { box, choose, sent } = shown(ticket('unclear', [], ['119']))
    await choose('emergency')
    expect(sent).toEqual([{ type: 'reassess', verdict: 'emergency', services: ['119'] }])
    expect(box.find('form').exists()).toBe(false)
  })
  it('asks for the reason of a lower one, and sends nothing without', async () => {
    const { box, choose, sent } = shown(ticket('emergency', ['119'], ['119']))
    await choose('non_emergency')
    await box.find('form').trigger('submit')
    expect(sent).toEqual([])
    await box.find('form input').setValue(' 是烧烤的烟 ')
    await box.find('form').trigger('submit')
    expect(sent).toEqual([{ type: 'reassess', verdict: 'non_emergency', services: [], reason: '是烧烤的烟' }])
    await nextTick()
    expect(box.find('form').exists()).toBe(false)
  })
  it('forgets what was begun for one ticket with the next', async () => {
    const { box, choose, opened } = shown(ticket('emergency', [], []))
    await choose('unclear')
    await box.find('form input').setValue('误报')
    opened.value = { ticket: { ...ticket('emergency', [], []), number: 'DG2' } as Ticket }
    await nextTick()
    expect(box.find('form').exists()).toBe(false)
  })
})
