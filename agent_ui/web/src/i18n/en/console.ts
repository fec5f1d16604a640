export default {
  title: 'Agent console',
}
