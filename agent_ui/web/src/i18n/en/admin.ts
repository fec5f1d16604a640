export default {
  title: 'Administration',
}
