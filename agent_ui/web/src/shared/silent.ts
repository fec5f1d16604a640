/** Emergency desks that did not pick up, as one reads them: `110 ×2`. */
export function silentDesks(unanswered: readonly string[] = []): string {
  const times = (desk: string): number => unanswered.filter((one) => one === desk).length
  return [...new Set(unanswered)].map((desk) => (times(desk) > 1 ? `${desk} ×${times(desk)}` : desk)).join('、')
}
