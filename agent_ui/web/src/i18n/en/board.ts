export default {
  title: 'Supervisor board',
}
